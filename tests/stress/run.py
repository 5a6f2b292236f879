#!/usr/bin/env python3
"""Runs the stress load under a stress library, and has both judges judge each trace.

    run.py --expect good|caught --seconds S --runs N LOAD LIBRARY JUDGE BUILD

good: every run ends well and both judges accept every trace, each generation alone, every live G
listed. caught: the library has a wrong order built in; the first run whose trace is rejected (or
that an assertion or a time-out ends) proves that the tests see it, and N good runs in a row fail.
"""

import argparse
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../programs"))

import traced   # noqa: E402

EVENTS = ["GoBlock", "GoUnblock", "GoSyscallBegin", "GoSyscallEndBlocked", "GoCreate", "GoDestroy"]


def run(options, seed):
    """One run; (what went wrong or None, the judges' report, bytes of the trace)."""
    with tempfile.TemporaryDirectory(prefix="gtrace-stress-") as folder:
        trace = os.path.join(folder, "load.trace")
        # Every other good one ends in the handler of a signal.
        mode = ["half"] if options.expect == "caught" else ["leave"] if seed % 2 == 0 else []
        done = "done 19\n" if mode == ["half"] else "done 37\n"
        environment = dict(os.environ, LD_PRELOAD=options.library, GTRACE_OUT=trace,
                           GTRACE_PERIOD="1ms", GTRACE_EVENTS="all", GTRACE_FOLLOW="0")
        try:
            load = subprocess.run([options.load, str(options.seconds), str(seed)] + mode,
                                  env=environment, capture_output=True, text=True,
                                  timeout=60 + 20 * options.seconds)
        except subprocess.TimeoutExpired:
            return "the load hangs", "", 0
        # A signal handler that jumped out of the tracer may have ended the trace early, and said so.
        said = [line for line in load.stderr.splitlines() if traced.JUMPED not in line]
        if load.returncode != 0 or load.stdout != done or said:
            return f"the load ends with {load.returncode}: {load.stdout}{load.stderr}", "", 0
        judged = subprocess.run([options.judge, "--build", options.build, "--each", "--live", trace],
                                capture_output=True, text=True)
        report = (judged.stdout + judged.stderr).strip()
        size = os.path.getsize(trace)
        # What the load is for: each of these events is there.
        dump = subprocess.run([os.path.join(options.build, "tools", "gtrace"), "dump", trace],
                              capture_output=True, text=True).stdout
        for event in EVENTS:
            report += f"\n{event} {dump.count(event + ' ')}"
        if judged.returncode != 0:
            return f"the judges end with {judged.returncode}", report, size
        return None, report, size


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--expect", choices=["good", "caught"], required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--runs", type=int, required=True)
    for name in ("load", "library", "judge", "build"):
        parser.add_argument(name, type=os.path.abspath)
    options = parser.parse_args()
    for seed in range(1, options.runs + 1):
        wrong, report, size = run(options, seed)
        if not wrong and "GoSyscallBegin 0" in report:
            wrong = "no system call in the trace: the hooks of extra.c are not bound"
        print(f"run {seed}: {wrong or 'good'}, {size} bytes")
        print("\n".join("    " + line[:300] for line in report.splitlines()[-9:]), flush=True)
        if wrong and options.expect == "good":
            return 1
        if wrong and options.expect == "caught":
            # A judge that could not run has caught nothing.
            if wrong == "the judges end with 2":
                return 1
            print(f"caught in run {seed}")
            return 0
    if options.expect == "caught":
        print(f"a wrong order went unnoticed in {options.runs} runs")
        return 1
    return 0


sys.exit(main())
