#!/usr/bin/env python3
"""gtrace stat --bytes of all traces of tests/traces/good: each byte of a file is in exactly one of its
numbers, and each event and table entry in one of its counts, by what the wire text of dump says. And of
broken traces, and of facts of a newer gtrace.

    bytes.py GTRACE [--accept]    accept: what it prints now of known.txt is right
"""

import collections
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
STRUCTURE = {"Trace", "EventBatch", "ExperimentalBatch", "Stacks", "Strings", "CPUSamples", "CPUSample",
             "Frequency", "Sync", "ClockSnapshot", "EndOfGeneration"}


def lines(text):
    """How many entries of each kind are in a wire text; facts are the comments below their batches."""
    firsts = collections.Counter()
    for line in text.splitlines():
        fact = re.search(r"\(brief: (\w+)\)$", line) or re.match(r"# ([A-Z]\w+) time=", line)
        plain = re.match(r"([A-Z]\w+)", line)
        if fact or plain:
            firsts[(fact or plain)[1]] += 1
    return {name: n for name, n in firsts.items() if name not in STRUCTURE}


def main():
    gtrace = os.path.abspath(sys.argv[1])
    folder = tempfile.TemporaryDirectory()

    def run(*args, locale="C.UTF-8"):
        return subprocess.run([gtrace, *args], capture_output=True, cwd=folder.name, check=False,
                              env=dict(os.environ, LC_ALL=locale))

    words = set(re.findall(r"\w+", (HERE.parents[1] / "docs/stat.md").read_text()))
    texts = sorted((HERE.parent / "traces/good").glob("*.txt")) + [HERE / "known.txt"]
    for text in texts:
        trace = pathlib.Path(folder.name, f"{text.stem}.trace")
        run("assemble", text, "-o", trace)
        done = run("stat", "--bytes", "--json", trace.name)
        said = json.loads(done.stdout)
        check(done.returncode == 0 and said["problem"] is None, f"{trace.name}: {done}")
        sizes = [b["headers"] + b["payload"] for b in said["batches"]]
        check(said["around"] + sum(sizes) == said["bytes"] == trace.stat().st_size,
              f"{trace.name}: {said['around']} + {sizes} is not {trace.stat().st_size}")
        for kind in said["kinds"]:
            check(kind["bytes"] == sum(f["bytes"] for f in kind["fields"]), f"{trace.name}: {kind}")
        counts = collections.Counter()
        for kind in said["kinds"]:
            counts[kind["name"]] += kind["count"]
        wire = lines(run("dump", "--facts", trace.name).stdout.decode(errors="replace"))
        # The wire text has the events of an experiment's batch as its bytes.
        check(counts == wire or text.stem == "experiment_0", f"{trace.name}: {counts} is not {wire}")
        for holds in ("events", "stacks", "strings"):
            inside = sum(k["bytes"] for k in said["kinds"] if k["holds"] == holds)
            payload = sum(b["payload"] for b in said["batches"] if b["holds"] == holds)
            marks = 0 if holds == "events" else sum(b["count"] for b in said["batches"]
                                                    if b["holds"] == holds)
            check(inside + marks == payload, f"{trace.name}: {holds}: {inside} of {payload}")
        check(said.keys() | said["each"].keys() <= words, "keys that docs/stat.md does not tell")

    for name, locale in (("utf8", "C.UTF-8"), ("ascii", "C")):
        golden = HERE / f"bytes.{name}.out"
        printed = run("stat", "--bytes", "calls.trace", "go123.trace", locale=locale).stdout
        if "--accept" in sys.argv:
            golden.write_bytes(printed)
        check(printed == golden.read_bytes(), f"{golden.name} differs:\n{printed.decode()}")
        check(max(len(s) for s in printed.decode().splitlines()) <= 115, "wider than a screen")
        check(locale != "C" or printed.isascii(), "not ASCII in the C locale")

    whole = pathlib.Path(folder.name, "known.trace").read_bytes()
    pathlib.Path(folder.name, "cut.trace").write_bytes(whole[:-20])
    done = run("stat", "--bytes", "cut.trace")
    check(done.returncode == 1 and b"cut.trace: truncated: " in done.stderr and
          b"Cut off" in done.stdout and b"\n0 events" in done.stdout, f"a truncated trace: {done}")
    check(json.loads(run("stat", "--bytes", "--json", "cut.trace").stdout)["truncated"], "truncated")
    pathlib.Path(folder.name, "bad.trace").write_bytes(whole.replace(b"G\1\1", b"G\1\0"))
    done = run("stat", "--bytes", "bad.trace")
    check(done.returncode == 1 and b"Not valid" in done.stdout, f"a trace that is not valid: {done}")
    pathlib.Path(folder.name, "newer.trace").write_bytes(whole.replace(b"G\1\1", b"G\1\x7f"))
    newer = json.loads(run("stat", "--bytes", "--json", "newer.trace").stdout)
    check(newer["facts"] < json.loads(run("stat", "--bytes", "--json", "known.trace").stdout)["facts"],
          "facts of a newer gtrace are not counted")
    done = run("stat", "--bytes", "none.trace")
    check(done.returncode == 2 and not done.stdout, f"no such file: {done}")
    for other in ("--full", "--top=3", "--from=1s", "--object=#1"):
        done = run("stat", "--bytes", other, "known.trace")
        check(done.returncode == 2 and b"--bytes goes with --json alone" in done.stderr, f"{done}")
    return checks.failures


sys.exit(1 if main() else 0)
