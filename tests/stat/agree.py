#!/usr/bin/env python3
"""gtrace stat against Go's own summary of the same trace.

    agree.py GTRACE ORACLE [--preload LIBRARY] PROGRAM...   programs to trace and to compare
    agree.py GTRACE ORACLE --traces FILE...                 traces that exist

ORACLE --stats sums a trace up with Go's reader and Go's Summarizer. What both say must be the same,
to 1 ns an event: times by thread and state, times by reason, blocks, system calls, labels, and each
place where threads waited; where Go's runtime wrote the trace, also who woke whom. What is Go's own
and taken into account: its trace ends 1 ns after the last event; a system call that is open at the
end counts as runnable too; a wait "forever" is none; and ORACLE begins a wait that was there before
the trace at its first mention.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SKIP = 77  # what ORACLE ends with where there is no Go


def run(*command, good=(0,), **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    if done.returncode == SKIP:
        print(done.stdout + done.stderr, end="")
        sys.exit(SKIP)
    if done.returncode not in good:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def alike(ours, gos, slack):
    """Equal, where a number may differ by so much."""
    if isinstance(ours, dict):
        return ours.keys() == gos.keys() and all(alike(v, gos[k], slack) for k, v in ours.items())
    if isinstance(ours, list):
        return len(ours) == len(gos) and all(alike(a, b, slack) for a, b in zip(ours, gos))
    return ours == gos or (isinstance(ours, int) and abs(ours - gos) <= slack)


class Differences(list):
    def equal(self, what, ours, gos, slack=0):
        if not alike(ours, gos, slack):
            self.append(f"{what}: gtrace says {ours}, Go says {gos}")


def sites_of_go(go):
    """(reason, stack) -> [waits, total, max], of all goroutines."""
    sites = collections.defaultdict(lambda: [0, 0, 0])
    for block in go["blocks"]:
        site = sites[block["reason"], tuple(block["stack"])]
        site[0] += block["count"]
        site[1] += block["total_ns"]
        site[2] = max(site[2], block["max_ns"])
    return dict(sites)


def compare(trace, gtrace, oracle):
    ours = json.loads(run(gtrace, "stat", "--json", trace))
    go = json.loads(run(oracle, "--stats", trace))
    wrong = Differences()
    # Which of two events of equal time comes first is a matter of the reader, and each is moved to
    # 1 ns after the one before. Go's runtime dates many events alike.
    ties = 10 if ours["writer"] == "go" else 1
    wrong.equal("duration", ours["duration_ns"], go["duration_ns"], 1)
    wrong.equal("generations", ours["generations"], go["generations"])
    threads = {t["id"]: t for t in ours["threads"]}
    wrong.equal("threads", sorted(threads), sorted(g["id"] for g in go["goroutines"]))
    for g in go["goroutines"]:
        if g["id"] not in threads:
            continue
        t, who = threads[g["id"]], f"G {g['id']} ({g['name']})"
        slack = (t["ended_ns"] is None) + ties * (t["blocks"] + t["syscalls"])
        forever = any(block["reason"] == "forever" and block["goroutine"] == g["id"]
                      for block in go["blocks"])
        wrong.equal(f"{who}: routine", t["routine"], g["name"])
        wrong.equal(f"{who}: labels", t["labels"], g["labels"])
        wrong.equal(f"{who}: creator", t["creator"], g["creator"])
        wrong.equal(f"{who}: running", t["running_ns"], g["running_ns"], slack)
        wrong.equal(f"{who}: blocks", t["blocks"], g["blocks"])
        wrong.equal(f"{who}: system calls", t["syscalls"], g["syscalls"])
        waiting = {k: v for k, v in t["waiting_ns"].items() if v and k != "forever"}
        wrong.equal(f"{who}: waiting", waiting, {k: v for k, v in g["waiting_ns"].items() if v},
                    slack)
        if t["state"] == "syscall":
            wrong.equal(f"{who}: in system calls", t["syscall_ns"] + t["syscall_blocked_ns"],
                        g["syscall_ns"] + g["syscall_blocked_ns"], slack)
        else:
            wrong.equal(f"{who}: runnable", t["runnable_ns"], g["runnable_ns"], slack)
            wrong.equal(f"{who}: in system calls", t["syscall_ns"], g["syscall_ns"], slack)
            wrong.equal(f"{who}: in system calls without a processor", t["syscall_blocked_ns"],
                        g["syscall_blocked_ns"], slack)
        if not forever:
            wrong.equal(f"{who}: created", t["created_ns"], g["created_ns"], ties)
            wrong.equal(f"{who}: ended", t["ended_ns"], g["ended_ns"], ties)
    sites = {(s["reason"], tuple(s["stack"])): s for s in ours["sites"]}
    blocks = sites_of_go(go)
    wrong.equal("places of waits", sorted(sites), sorted(blocks))
    for key in sites.keys() & blocks.keys():
        s = sites[key]
        if key[0]:
            wrong.equal(f"waits at {key}", [s["waits"], s["total_ns"], s["max_ns"]], blocks[key],
                        s["ended"]["open"] + ties * s["waits"])
        else:
            wrong.equal(f"number of waits at {key}", s["waits"], blocks[key][0])
        wrong.extend(f"{key}: {k} is {s[k]}, max_ns {s['max_ns']}"
                     for k in ("p50_ns", "p99_ns", "mean_ns") if s[k] > s["max_ns"])
        # Each sum over what belongs to a site is the site again.
        wrong.equal(f"{key}: by thread", sum(t["total_ns"] for t in s["threads"]), s["total_ns"])
        wrong.equal(f"{key}: by end", sum(s["ended"].values()), s["waits"])
        wrong.equal(f"{key}: by waker", sum(w["waits"] for w in s["wakers"]),
                    s["waits"] - s["ended"]["open"] - s["ended"]["returned"])
    woken = collections.Counter()
    for wake in ours["wakes"]:
        woken[wake["wakee"]] += wake["waits"]
    for t in ours["threads"]:
        woken[t["id"]] += t["ended"]["returned"]
    for wake in go["wakes"]:
        woken[wake["wakee"]] -= wake["count"]
    wrong.extend(f"G {g}: woken {n:+} times" for g, n in woken.items() if n)
    if ours["writer"] == "go":
        pairs = collections.Counter()
        for wake in ours["wakes"]:
            pairs[wake["waker"], wake["wakee"], wake["reason"]] += wake["waits"]
        wrong.equal("who woke whom", pairs,
                    {(w["waker"], w["wakee"], w["reason"]): w["count"] for w in go["wakes"]})
    for c in ours["calls"]:
        wrong.equal(f"{c['call']}: by thread", sum(t["total_ns"] for t in c["threads"]), c["total_ns"])
        wrong.equal(f"{c['call']}: by place", sum(s["waits"] for s in c["sites"]), c["waits"])
        wrong.equal(f"{c['call']}: by error", sum(e["waits"] for e in c["errors"]), c["failed"])
    waits = sum(s["waits"] for s in sites.values())
    if waits == 0:
        wrong.append("the trace has no wait: it proves nothing")
    print(f"{trace}: {len(threads)} threads, {len(sites)} places, {waits} waits: "
          f"{f'{len(wrong)} differences' if wrong else 'agree'}")
    for difference in wrong[:20]:
        print("  " + difference)
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gtrace")
    parser.add_argument("oracle")
    parser.add_argument("--preload", help="the library that traces")
    parser.add_argument("--traces", action="store_true", help="the files are traces")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    if args.traces:
        return all([compare(file, args.gtrace, args.oracle) for file in args.files])
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for program in args.files:
            trace = pathlib.Path(folder) / f"{pathlib.Path(program).name}.trace"
            environment = dict(os.environ, GTRACE_OUT=str(trace), GTRACE_PERIOD="20ms")
            if args.preload:
                environment["LD_PRELOAD"] = os.path.abspath(args.preload)
            run(os.path.abspath(program), env=environment, cwd=folder)
            good &= compare(trace, args.gtrace, args.oracle)
    return good


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
