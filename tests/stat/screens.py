#!/usr/bin/env python3
"""The first screen of gtrace stat about programs with one known trouble each: a function that keeps a
lock for long, among locks that are hot; and a deadlock, ended by SIGTERM and by SIGKILL.

    screens.py GTRACE LIBRARY JUDGE PLANTED PLANTED_CC DEADLOCK
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

GTRACE, LIBRARY, JUDGE, PLANTED, PLANTED_CC, DEADLOCK = map(os.path.abspath, sys.argv[1:])
LINES, COLUMNS = 40, 115  # docs/stat.md
failures = 0


def fail(text):
    global failures
    failures += 1
    print(f"FAIL {text}")


def traced(folder, name):
    trace = pathlib.Path(folder, name + ".trace")
    return trace, dict(os.environ, LD_PRELOAD=LIBRARY, GTRACE_OUT=str(trace), LC_ALL="C.UTF-8")


def screen(trace):
    done = subprocess.run([JUDGE, "--live", trace], capture_output=True, text=True, check=False,
                          env=dict(os.environ, GTRACE=GTRACE))
    if done.returncode != 0:
        fail(f"{trace.name}: the judges: {done.stdout}{done.stderr}")
    done = subprocess.run([GTRACE, "stat", trace], capture_output=True, text=True, check=False,
                          env=dict(os.environ, LC_ALL="C.UTF-8"))
    lines = done.stdout.splitlines()
    # The first line has the path of the file.
    if done.returncode != 0 or len(lines) > LINES or max(map(len, lines[1:])) > COLUMNS:
        fail(f"{trace.name}: status {done.returncode}, {len(lines)} lines\n{done.stdout}")
    return lines


def planted(folder, program, lock, where, did):
    trace, env = traced(folder, pathlib.Path(program).name)
    subprocess.run([program], env=env, check=True)
    lines = screen(trace)
    top = next((i for i, s in enumerate(lines) if s.startswith("Locks ")), 0)
    entry = "\n".join(lines[top + 1:top + 6])
    first = lines[top + 2] if top else ""
    if not (lock in lines[top + 1] and first.lstrip().startswith(f"held by janitor in {where}") and
            "in lookup" in entry.replace("Cache::", "") and
            did in entry):
        fail(f"{program}: the top lock, its holder and what that did:\n" + "\n".join(lines))


def asleep(pid):
    """All threads of the program that are there have gone to sleep, and nothing else is to come."""
    states = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        states.append((task / "stat").read_text().rsplit(")", 1)[1].split()[0])
    return len(states) >= 3 and all(s == "S" for s in states)


def has_generation(trace):
    done = subprocess.run([GTRACE, "stat", "--json", trace], capture_output=True, check=False)
    return done.stdout != b"" and json.loads(done.stdout)["generations"] > 0


def deadlock(folder, number):
    trace, env = traced(folder, f"deadlock{number}")
    with subprocess.Popen([DEADLOCK], env=env) as program:
        until, quiet = time.monotonic() + 30, 0
        # A second, until a whole generation has been written: it has the names of functions.
        while (quiet < 10 or not has_generation(trace)) and time.monotonic() < until:
            quiet = quiet + 1 if asleep(program.pid) else 0
            time.sleep(0.02)
        program.send_signal(number)
        program.wait()
    if trace.with_name(trace.name + ".spool").exists():
        done = subprocess.run([GTRACE, "recover", trace], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            fail(f"recover {trace.name}: status {done.returncode}: {done.stdout}{done.stderr}")
    text = "\n".join(screen(trace)[:9])
    for part in ("Deadlock: 2 threads wait for each other",
                 "journal, which audit has: in write_journal ← transfer",
                 "accounts, which transfer has: in sum_accounts ← audit"):
        if part not in text:
            fail(f"ended by {number!r}: no {part!r} in\n{text}")


with tempfile.TemporaryDirectory() as where_to:
    planted(where_to, PLANTED, "table", "rebuild_index ← janitor", "was in nanosleep")
    planted(where_to, PLANTED_CC, "cache+0x",
            "Cache::rebuild_index ← janitor",
            "the holder ran")
    deadlock(where_to, signal.SIGTERM)
    deadlock(where_to, signal.SIGKILL)
sys.exit(1 if failures else 0)
