#!/usr/bin/env python3
"""What gtrace stat prints about known.txt, against known.utf8.out and known.ascii.out; its JSON, its
messages and exit statuses.

    output.py GTRACE [--accept]    accept: what it prints now is right
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
failures = 0


def check(good, text):
    global failures
    if not good:
        failures += 1
        print(f"FAIL {text}")


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

    known = pathlib.Path(folder.name, "known.trace")
    subprocess.run([gtrace, "assemble", HERE / "known.txt", "-o", known], check=True)
    for name, locale in (("utf8", "C.UTF-8"), ("ascii", "C")):
        golden = HERE / f"known.{name}.out"
        printed = stat("known.trace", locale=locale).stdout
        if "--accept" in sys.argv:
            golden.write_bytes(printed)
        check(printed == golden.read_bytes(), f"{golden.name} differs:\n{printed.decode(errors='replace')}")
        check(b"\033" not in printed, "an escape sequence, and this is no terminal")
        check(locale != "C" or printed.isascii(), "not ASCII in the C locale")

    done = stat("--json", "known.trace")
    model = json.loads(done.stdout.decode("utf-8"))
    check(done.returncode == 0, f"--json ended with {done.returncode}")
    check(model["wakes"][0]["stack"] == ["give\ufffd", "main"], "bytes that are no UTF-8")
    check(model["sites"][0]["stack"] == ["take\033[31m", "worker"], "an escape in a name")
    check(model["threads"][1]["labels"] == ['tea "maker"'], "quotes in a name")
    help_text = stat("--help").stdout.decode()
    words = set(re.findall(r"\w+", help_text))
    # "sync" is a reason of this trace; what is documented once is also part of the sums.
    unknown = keys(model) - words - {"sync"}
    check(not unknown, f"keys that --help does not tell: {sorted(unknown)}")
    check(max(map(len, help_text.splitlines())) <= 100, "--help is wider than 100 columns")

    two = stat("--json", "known.trace", "known.trace").stdout.splitlines()
    check(len(two) == 2 and all(map(json.loads, two)), "two files, two lines")

    pathlib.Path(folder.name, "cut.trace").write_bytes(known.read_bytes()[:-20])
    done = stat("cut.trace")
    check(done.returncode == 1 and b"cut.trace: truncated: " in done.stderr and
          b"Cut off" in done.stdout, f"a truncated trace: {done}")
    check(json.loads(stat("--json", "cut.trace").stdout)["truncated"], "--json: truncated")
    pathlib.Path(folder.name, "bad.trace").write_bytes(
        known.read_bytes().replace(b"G\1\1", b"G\1\x7f"))
    done = stat("bad.trace")
    check(done.returncode == 1 and b"Not valid" in done.stdout, f"a trace that is not valid: {done}")
    done = stat("none.trace")
    check(done.returncode == 2 and not done.stdout, f"no such file: {done}")
    for args in ([], ["--top", "-1", "x"], ["--top", "3x", "x"], ["--no-such-option"]):
        done = stat(*args)
        check(done.returncode == 2 and b"Try: gtrace stat --help" in done.stderr, f"{args}: {done}")
    return failures


sys.exit(1 if main() else 0)
