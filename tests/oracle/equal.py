#!/usr/bin/env python3
"""Do gtrace's reader and Go's give the same events? Compares them event by event.

    equal.py LIST ORACLE TIES FILE...    LIST is list.c, ORACLE the program of this folder, TIES
                                         the same whose order is certain (build.sh --ties)

LIST and TIES print every event of a file with all its fields (list.go tells the form), and must
print the same; ORACLE, Go's reader as it is, must have the same number and sum of events: among
simultaneous ones its order is an accident. (So is then, now and again, whether an event still has
the P that another M takes away at that time: where only that differs they are equal.) The texts are compared as they come and never kept, so
that traces of any size can be. A file that one reader refuses the others must refuse as well; what
came before is then not compared.

Prints a line for each file and the totals. Exit status: 0 equal, 1 not, 77 without Go >= 1.26.
"""

import subprocess
import sys

CHUNK = 1 << 20


class Side:
    """One reader at work."""

    def __init__(self, *command):
        self.name = command[0].rsplit("/", 1)[-1]
        self.p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.rest = b""

    def more(self, size):
        """At least size bytes in rest, if there are that many."""
        while len(self.rest) < size:
            data = self.p.stdout.read1(CHUNK)
            if not data:
                return
            self.rest += data

    def end(self):
        while self.p.stdout.read1(CHUNK):
            pass
        said = self.p.stderr.read().decode(errors="replace").strip()
        return self.p.wait(), said


def difference(a, b, line):
    """Where two texts that differ do, in words."""
    a.more(CHUNK), b.more(CHUNK)
    ours, theirs = a.rest.split(b"\n"), b.rest.split(b"\n")
    i = 0
    while i < min(len(ours), len(theirs)) and ours[i] == theirs[i]:
        i += 1
    text = f"line {line + i + 1}:"
    for name, lines in ((a.name, ours), (b.name, theirs)):
        for k in range(max(i - 2, 0), min(i + 3, len(lines))):
            mark = ">" if k == i else " "
            text += f"\n  {name:>8} {mark} {lines[k][:300].decode()}"
    return text


def without_context(reader, path):
    """The events that a reader lists, in no order and without their times, Ps and Gs."""
    done = subprocess.run([reader, "--list", path], capture_output=True, check=False)
    words = [line.split(b" ", 4) for line in done.stdout.split(b"\n")]
    return sorted((w[1], w[4]) for w in words if len(w) == 5 and w[0] not in (b"stack", b"end"))


def compare(lister, oracle, ties, path):
    """How many events, or None where all refuse the file; and a difference in words, or None."""
    a, b = Side(lister, path), Side(ties, "--list", path)
    lines, tail, different = 0, b"", None
    while True:
        a.more(1), b.more(1)
        n = min(len(a.rest), len(b.rest))
        if n == 0:
            break
        if a.rest[:n] != b.rest[:n]:
            different = difference(a, b, lines)
            break
        lines += a.rest.count(b"\n", 0, n)
        tail = (tail + a.rest[:n])[-200:]
        a.rest, b.rest = a.rest[n:], b.rest[n:]
    if different is None and (a.rest or b.rest):
        different = difference(a, b, lines)
    (code_a, said_a), (code_b, said_b) = a.end(), b.end()
    plain = subprocess.run([oracle, "--sum", path], capture_output=True, check=False)
    codes = {code_a, code_b, plain.returncode}
    if codes not in ({0}, {1}):
        return 0, f"status {code_a}, {code_b}, {plain.returncode}: {said_a} {said_b}"
    if codes == {1}:
        return None, None
    if different is not None:
        return 0, different
    end = tail.rstrip(b"\n").split(b"\n")[-1]
    plain_end = plain.stdout.rstrip(b"\n")
    same = end == plain_end or (
        end.split(b" sum ")[0] == plain_end.split(b" sum ")[0] and
        without_context(ties, path) == without_context(oracle, path))
    if not same or not end.startswith(b"end "):
        return 0, f"ends with {end}, and Go's reader as it is with {plain.stdout}"
    return int(end.split()[1]), None


def compare_all(programs, paths, say=print):
    """Says a line for each file. Returns how many traces, events, differences."""
    traces = events = bad = 0
    for path in paths:
        n, different = compare(*programs, path)
        if different is not None:
            bad += 1
            print(f"FAIL {path}: {different}")
        elif n is None:
            say(f"{path}: refused by all")
        else:
            traces, events = traces + 1, events + n
            say(f"{path}: {n:,} events, equal")
        sys.stdout.flush()
    return traces, events, bad


def silent(_text):
    """For who wants the differences alone."""


def main():
    if len(sys.argv) < 5:
        print(__doc__)
        sys.exit(2)
    if subprocess.run([sys.argv[2], "--help"], capture_output=True, check=False).returncode == 77:
        print("SKIP: no Go >= 1.26: nobody to compare with")
        sys.exit(77)
    traces, events, bad = compare_all(sys.argv[1:4], sys.argv[4:])
    print(f"{traces} traces, {events:,} events, {bad} differences")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
