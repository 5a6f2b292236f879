#!/usr/bin/env python3
"""The traces in good/ and bad/: is the verdict on each the expected one? And the texts in views/.

    run.py GTRACE            gtrace verify, dump and assemble on each
    run.py GTRACE ORACLE     Go's reader and validator on each, and on Go's own test traces:
                             both judges must agree

A trace is a text as gtrace dump prints it (docs/format.md tells the layout), and begins with

    # expect: ok | error PART | truncated PART | unreadable PART
    # verify: OPTIONS        of gtrace verify; optional
    # judge: gtrace alone    Go's reader is known to say something else; optional
    # why it is here

PART must occur in the line that gtrace verify prints.
"""

import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# The judges do not crash: 0 and 1 are verdicts, 2 is "not a trace", 3 "truncated" (oracle).
STATUS = {"ok": 0, "error": 1, "truncated": 3, "unreadable": 2}

failures = 0


def fail(name, text):
    global failures
    failures += 1
    print(f"FAIL {name}: {text}")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)


class Trace:
    def __init__(self, path):
        self.name = os.path.relpath(path, HERE)
        self.path = path
        self.part, self.options, self.alone = "", [], False
        with open(path, encoding="utf-8") as f:
            for line in f:
                if not line.startswith("#"):
                    break
                key, _, value = line[1:].strip().partition(": ")
                if key == "expect":
                    self.expect, _, self.part = value.partition(" ")
                elif key == "verify":
                    self.options = value.split()
                elif key == "judge":
                    self.alone = True
        if self.expect not in STATUS or (self.expect == "ok") != (not self.part):
            fail(self.name, "no usable '# expect:' line")


def all_traces():
    for folder in ("good", "bad"):
        names = sorted(os.listdir(os.path.join(HERE, folder)))
        if not names:
            fail(folder, "is empty")
        for name in names:
            yield Trace(os.path.join(HERE, folder, name))


def check_ours(gtrace, t, binary):
    r = run(gtrace, "verify", *t.options, binary)
    line = r.stdout.strip()
    word = {"ok": ": ok: ", "error": ": invalid", "truncated": ": truncated after ",
            "unreadable": ": unreadable: "}[t.expect]
    if r.returncode != STATUS[t.expect] or word not in line or t.part not in line or r.stderr:
        fail(t.name, f"expected {t.expect} {t.part!r}, status {STATUS[t.expect]}; "
                     f"got status {r.returncode}: {line} {r.stderr}")
    if t.expect == "error" and not re.search(r"invalid[^:]*: .*offset \d+: |alone", line):
        fail(t.name, f"the message does not say where: {line}")
    for mode in ([], ["--facts"], ["--events"], ["--events", "--stacks"], ["--normal"]):
        d = run(gtrace, "dump", *mode, binary)
        if d.returncode not in (0, 1, 2) or (t.expect == "ok" and d.returncode != 0):
            fail(t.name, f"dump {mode} ends with {d.returncode}: {d.stderr}")
    if t.expect == "ok":
        check_round_trip(gtrace, t, binary)


def check_round_trip(gtrace, t, binary):
    """dump and assemble are inverse."""
    for mode in ([], ["--facts"]):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as text:
            text.write(run(gtrace, "dump", *mode, binary).stdout)
            text.flush()
            back = binary + ".back"
            r = run(gtrace, "assemble", text.name, "-o", back)
            if r.returncode != 0:
                fail(t.name, f"its dump does not assemble: {r.stderr}")
                return
        with open(binary, "rb") as a, open(back, "rb") as b:
            if a.read() != b.read():
                fail(t.name, "dump and assemble give another file")


def check_views(gtrace, scratch):
    """views/NAME.MODE is what gtrace dump --MODE prints for good/NAME.txt."""
    for name in sorted(os.listdir(os.path.join(HERE, "views"))):
        trace, mode = name.split(".")
        binary = os.path.join(scratch, trace + ".txt.trace")
        options = ["--events", "--stacks"] if mode == "events" else ["--" + mode]
        with open(os.path.join(HERE, "views", name), encoding="utf-8") as f:
            if (got := run(gtrace, "dump", *options, binary).stdout) != f.read():
                fail("views/" + name, f"dump prints\n{got}")


def judge(oracle, options, binary):
    r = run(oracle, *options, binary)
    if r.returncode not in (0, 1, 2, 3):
        fail(binary, f"the oracle ends with {r.returncode}: {r.stderr}")
    return r.returncode, (r.stdout + r.stderr).strip()


def check_both(gtrace, oracle, t, binary):
    ours = run(gtrace, "verify", *t.options, binary)
    status, said = judge(oracle, t.options, binary)
    agree = (ours.returncode == 0) == (status == 0)
    if t.alone and agree:
        fail(t.name, "both judges agree: remove its '# judge:' line")
    if not t.alone and not agree:
        fail(t.name, f"gtrace: {ours.stdout.strip()}\n  oracle: {status} {said}")


def go_tests():
    go = run(os.path.join(HERE, "../oracle/build.sh"), "--check").stdout.strip()
    folder = os.path.join(run(go, "env", "GOROOT").stdout.strip(),
                          "src/internal/trace/testdata/tests")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".test"):
            yield os.path.join(folder, name)


def check_go_test(gtrace, path, scratch):
    """One of Go's own test traces: a txtar of an expectation and the text of a trace."""
    name = os.path.basename(path)
    with open(path, encoding="utf-8") as f:
        expect, text = f.read().split("-- trace --\n")
    source, binary = os.path.join(scratch, "go.txt"), os.path.join(scratch, "go.trace")
    with open(source, "w", encoding="utf-8") as f:
        f.write(text)
    if (r := run(gtrace, "assemble", source, "-o", binary)).returncode != 0:
        fail(name, r.stderr)
        return
    for mode in ([], ["--lenient"]):
        r = run(gtrace, "verify", *mode, binary)
        if (r.returncode == 0) != ("\nSUCCESS" in expect):
            fail(name, f"Go expects {expect.split()[3]}; {mode} got {r.stdout.strip()}")
    dumped = run(gtrace, "dump", binary).stdout
    strip = [s for s in text.split("\n") if s.strip() and not s.startswith("#")]
    if [s for s in dumped.split("\n") if s.strip()] != strip:
        fail(name, "dump prints another text than Go's")


def main():
    gtrace, oracle = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    count = 0
    if oracle and run(oracle, "--help").returncode == 77:
        print("SKIP: no Go >= 1.26: nobody to compare with")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as scratch:
        for t in all_traces():
            count += 1
            binary = os.path.join(scratch, os.path.basename(t.path) + ".trace")
            r = run(gtrace, "assemble", t.path, "-o", binary)
            if r.returncode != 0:
                fail(t.name, r.stderr)
            elif oracle:
                check_both(gtrace, oracle, t, binary)
            else:
                check_ours(gtrace, t, binary)
        if not oracle:
            check_views(gtrace, scratch)
        else:
            for path in go_tests():
                count += 1
                check_go_test(gtrace, path, scratch)
    print(f"{count} traces, {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
