#!/usr/bin/env python3
"""Profiles of gtrace pprof as their own reader sees them: go tool pprof.

    go_pprof.py GTRACE

Ends with 77, which is "skipped", where there is no Go.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
SKIP = 77


def run(*command):
    # It must not look for binaries of that build id, nor ask anybody on the network.
    environment = dict(os.environ, GOTOOLCHAIN="local", TZ="UTC", PPROF_BINARY_PATH="/nowhere")
    return subprocess.run([str(c) for c in command], env=environment, check=True,
                          capture_output=True).stdout.decode()


def check(good, text):
    if not good:
        sys.exit(f"FAIL {text}")


def main():
    gtrace = os.path.abspath(sys.argv[1])
    go = shutil.which("go") or "/usr/local/go/bin/go"
    if not os.access(go, os.X_OK):
        print("SKIP: no Go: its pprof did not read our profiles")
        sys.exit(SKIP)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        trace, profile = folder / "known.trace", folder / "known.pb.gz"
        run(gtrace, "assemble", TESTS / "stat/known.txt", "-o", trace)
        run(gtrace, "pprof", "--type", "mutex", "-o", profile, trace)
        raw = run(go, "tool", "pprof", "-raw", profile)
        check("contentions/count delay/nanoseconds" in raw, f"types:\n{raw}")
        samples = re.findall(r"^ +(\d+) +(\d+): ", raw, re.M)
        check(samples == [("1", "4000000"), ("1", "7000000"), ("1", "2000000")],
              f"samples: {samples}\n{raw}")
        check('thread:[main #1] waiter:[tea "maker"] what:[mutex]' in raw, f"labels:\n{raw}")
        check("give\ufffd x.c:1" in raw, f"lines:\n{raw}")
        top = run(go, "tool", "pprof", "-top", "-unit=ms", profile)
        check("Time: 2023-11-14 22:13:20 UTC" in top, f"time:\n{top}")
        check(re.search(r"^ *11ms 84\.62% .* give", top, re.M), f"top:\n{top}")
        check("Total samples = 13ms" in top, f"total:\n{top}")
        tags = run(go, "tool", "pprof", "-tags", profile)
        check(re.search(r"^ *9ms \(69\.23%\): worker #3", tags, re.M), f"tags:\n{tags}")

if __name__ == "__main__":
    main()
