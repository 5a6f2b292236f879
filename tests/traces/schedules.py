#!/usr/bin/env python3
"""Random schedules: whatever a scheduler may do, written as a trace, is read back as it was.

    schedules.py GTRACE LIST ORACLE TIES COUNT [SEED]

A seed gives a world of threads (M), processors (P) and goroutines (G), in which at each step
somebody does something that is legal then, through several generations, under one of the four
headers. It is written by gtrace assemble; both judges must accept it, as a whole and each
generation alone; its dump must be the same trace again; and gtrace's reader (tests/oracle/list.c)
must give exactly the events that happened, in their order, with all their fields. With every second
seed the clocks of the Ms are wrong, so that only the sequence numbers tell the order: then the two
readers must agree. Without Go >= 1.26 the one of gtrace alone is asked.
"""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../oracle"))
import equal  # noqa: E402
from world import World  # noqa: E402


def check(gtrace, lister, seed, folder):
    """The path of the trace of a seed, whether its clocks are right, and what is wrong with it."""
    world = World(seed)
    text = world.run()
    path = os.path.join(folder, f"{seed}.trace")
    r = subprocess.run([gtrace, "assemble", "-", "-o", path], input=text.encode(),
                       capture_output=True, check=False)
    if r.returncode != 0:
        return path, world.skewed, f"does not assemble: {r.stderr.decode()}"
    back = subprocess.run(f'"{gtrace}" dump "{path}" | "{gtrace}" assemble - -o "{path}.back"',
                          shell=True, capture_output=True, check=False)
    with open(path, "rb") as a, open(path + ".back", "rb") as b:
        if a.read() != b.read():
            return path, world.skewed, f"its dump is another trace: {back.stderr.decode()}"
    if world.skewed:
        return path, True, None
    r = subprocess.run([lister, path], capture_output=True, check=False)
    got, expected = r.stdout.split(b"\n"), world.listing().split(b"\n")
    if got != expected:
        i = next((i for i, (a, b) in enumerate(zip(got, expected)) if a != b),
                 min(len(got), len(expected)))
        return path, False, (f"line {i + 1} is {got[i:i + 3]}, expected {expected[i:i + 3]} "
                             f"{r.stderr.decode()}")
    return path, False, None


def main():
    gtrace, lister, oracle, ties = sys.argv[1:5]
    count, seed = int(sys.argv[5]), int(sys.argv[6]) if len(sys.argv) > 6 else 0
    go = subprocess.run([oracle, "--help"], capture_output=True, check=False).returncode != 77
    failures, paths = 0, {False: [], True: []}
    with tempfile.TemporaryDirectory() as folder:
        for k in range(seed, seed + count):
            path, skewed, wrong = check(gtrace, lister, k, folder)
            paths[skewed].append(path)
            if wrong:
                failures += 1
                print(f"FAIL seed {k}: {wrong}")
        for judge in [[gtrace, "verify", "--quiet"]] + ([[oracle]] if go else []):
            # A generation alone has nothing before it that would tell which collection is first.
            for options, of in ((["--each", "--live"], paths[False]), (["--live"], paths[True])):
                r = subprocess.run([*judge, *options, *of], capture_output=True, check=False)
                if of and r.returncode != 0:
                    failures += 1
                    said = r.stdout.decode(errors="replace").split("\n")
                    print("FAIL", "\n  ".join(s for s in said if ": ok: " not in s)[:4000])
        both = paths[False] + paths[True]
        events = bad = 0
        if go:
            _, events, bad = equal.compare_all((lister, oracle, ties), both, equal.silent)
    failures += bad
    print(f"{count} schedules from seed {seed}, {events:,} events compared with Go's reader; "
          f"{failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
