#!/usr/bin/env python3
"""What gtrace stat prints about known.txt, against known.utf8.out and known.ascii.out, and the same of
two good traces of tests/traces, with calls and with objects; its JSON, its messages and exit statuses.

    output.py GTRACE [--accept]    accept: what it prints now is right
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import checks
from checks import check

HERE = pathlib.Path(__file__).resolve().parent


def keys(value):
    if isinstance(value, dict):
        return {k for k in value}.union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


def main():
    gtrace = os.path.abspath(sys.argv[1])
    folder = tempfile.TemporaryDirectory()

    def stat(*args, locale="C.UTF-8", **more):
        return subprocess.run([gtrace, "stat", *args], capture_output=True, cwd=folder.name,
                              env=dict(os.environ, LC_ALL=locale), check=False, **more)

    good = HERE.parent / "traces/good"
    for trace, text in (("known", HERE / "known.txt"), ("calls", good / "calls.txt"),
                        ("objects", good / "objects.txt")):
        file = pathlib.Path(folder.name, f"{trace}.trace")
        subprocess.run([gtrace, "assemble", text, "-o", file], check=True)
        for name, locale in (("utf8", "C.UTF-8"), ("ascii", "C")):
            golden = HERE / f"{trace}.{name}.out"
            printed = stat(file.name, locale=locale).stdout
            check(len(printed.splitlines()) <= 40, f"{golden.name}: longer than a screen")
            printed += stat("--full", file.name, locale=locale).stdout
            if "--accept" in sys.argv:
                golden.write_bytes(printed)
            check(printed == golden.read_bytes(),
                  f"{golden.name} differs:\n{printed.decode(errors='replace')}")
            check(b"\033" not in printed, "an escape sequence, and this is no terminal")
            check(locale != "C" or printed.isascii(), "not ASCII in the C locale")
            check(max(len(s) for s in printed.decode(errors="replace").splitlines()) <= 115,
                  f"{golden.name}: wider than a screen")
    known = pathlib.Path(folder.name, "known.trace")

    done = stat("--json", "known.trace")
    model = json.loads(done.stdout.decode("utf-8"))
    check(done.returncode == 0, f"--json ended with {done.returncode}")
    check(model["wakes"][0]["stack"] == ["give\ufffd", "main"], "bytes that are no UTF-8")
    check(model["sites"][0]["stack"] == ["take\033[31m", "worker"], "an escape in a name")
    check(model["threads"][1]["labels"] == ['tea "maker"'], "quotes in a name")
    help_text = stat("--help").stdout.decode()
    words = set(re.findall(r"\w+", (HERE.parents[1] / "docs/stat.md").read_text()))
    # "sync" is a reason of this trace; what is documented once is also part of the sums.
    unknown = keys(model) - words - {"sync"}
    check(not unknown, f"keys that docs/stat.md does not tell: {sorted(unknown)}")
    check(max(map(len, help_text.splitlines())) <= 100, "--help is wider than 100 columns")

    calls = json.loads(stat("--json", "calls.trace").stdout)
    by_name = {c["call"]: c for c in calls["calls"]}
    check(set(by_name) == {"read", "openat", "recv", "waitpid", None}, f"calls: {set(by_name)}")
    check(by_name["recv"]["blocked"]["waits"] == 1 and by_name["read"]["blocked"]["waits"] == 0,
          "what took long, and what did not")
    check(by_name["openat"]["errors"][0]["error"] == "ENOENT", "an error by name")
    check(sorted(c["number"] for c in calls["calls"] if c["call"] is None) == [0, 300],
          "one call did not end, one is of a newer gtrace")
    check(calls["ended"]["returned"] == 2 and not calls["wakes"], "calls that no thread ends")
    check(calls["spins"][0]["total_ns"] == 1500 * 64, "an estimate from a sample")
    check(calls["threads"][0]["yields"] == 13 and calls["threads"][0]["yields_long"] == 1, "yields")
    check({"what": "MIN", "text": "calls shorter than this are left out, ns", "value": 10000,
           "means": "10000"} in calls["about"], f"settings: {calls['about']}")
    objects = json.loads(stat("--json", "objects.trace").stdout)
    retakes = [s["retakes"] for s in objects["sites"] if s["retakes"]["waits"]]
    check(len(retakes) == 1 and retakes[0]["owners"][0]["thread"] == 1, f"retakes: {retakes}")
    check({o["kind"]: o["wakers"][0]["thread"] for o in objects["objects"] if o["waits"]} ==
          {"cond": 1, "rwlock (write)": 1, "semaphore": 1}, "kinds of objects, and their wakers")
    unknown = (keys(calls) | keys(objects)) - words - set(objects["threads"][1]["waits"])
    unknown -= set(calls["threads"][0]["waits"])
    check(not unknown, f"keys that docs/stat.md does not tell: {sorted(unknown)}")

    two = stat("--json", "known.trace", "known.trace").stdout.splitlines()
    check(len(two) == 2 and all(map(json.loads, two)), "two files, two lines")

    pathlib.Path(folder.name, "cut.trace").write_bytes(known.read_bytes()[:-20])
    done = stat("cut.trace")
    check(done.returncode == 1 and b"cut.trace: truncated: " in done.stderr and
          b"Cut off" in done.stdout, f"a truncated trace: {done}")
    check(json.loads(stat("--json", "cut.trace").stdout)["truncated"], "--json: truncated")
    pathlib.Path(folder.name, "bad.trace").write_bytes(
        known.read_bytes().replace(b"G\1\1", b"G\1\0"))
    done = stat("bad.trace")
    check(done.returncode == 1 and b"Not valid" in done.stdout, f"a trace that is not valid: {done}")
    pathlib.Path(folder.name, "newer.trace").write_bytes(
        known.read_bytes().replace(b"G\1\1", b"G\1\x7f"))
    done = stat("newer.trace")
    check(done.returncode == 0 and b"Not read: facts of a newer gtrace, in 2 batches" in done.stdout
          and b"nothing lost" not in done.stdout, f"facts of a newer gtrace: {done}")
    done = stat("none.trace")
    check(done.returncode == 2 and not done.stdout, f"no such file: {done}")
    for args in ([], ["--top", "-1", "x"], ["--top", "3x", "x"], ["--no-such-option"]):
        done = stat(*args)
        check(done.returncode == 2 and b"Try: gtrace stat --help" in done.stderr, f"{args}: {done}")
    return checks.failures


sys.exit(1 if main() else 0)
