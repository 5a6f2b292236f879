#!/usr/bin/env python3
"""What gtrace export --to perfetto and --to chrome write, read back and checked: both say the same;
slices of a track nest; the states of a thread leave no gap; each arrow leads from the waker to the
woken one, at the time and from the stack that gtrace stat knows; times and calls add up to those of
gtrace stat; counters are the numbers of slices; a cut is the part of the whole.

    viewers.py GTRACE TRACE_TEXT...                  text traces, which are assembled first
    viewers.py GTRACE --preload LIBRARY PROGRAM...   programs, which are traced
"""

import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from timeline import Chrome, Perfetto

SKIP = 77
STATES = {"running": "running threads", "runnable": "runnable threads", "blocked": "blocked threads",
          "in a call": "threads in a call"}


def number(name):
    """Of a thread, in the trace: it may have got another name since."""
    return int(name.rsplit("#", 1)[1])


class Checker:
    def __init__(self, gtrace, folder):
        self.gtrace, self.folder = gtrace, pathlib.Path(folder)
        self.failures = 0
        self.name = ""
        self.seen = collections.Counter()  # a check that never had anything to look at is none

    def equal(self, what, ours, expected):
        if ours != expected:
            self.failures += 1
            print(f"FAIL {self.name}: {what}: {str(ours)[:600]}, expected {str(expected)[:600]}")

    def check(self, good, what):
        self.equal(what, bool(good), True)

    def run(self, *args, status=0):
        done = subprocess.run([self.gtrace, *map(str, args)], capture_output=True, check=False)
        self.equal(f"{' '.join(map(str, args))} ends with: {done.stderr.decode(errors='replace')}",
                   done.returncode, status)
        return done.stdout

    def export(self, kind, trace, *args, status=0):
        out = self.folder / f"out.{kind}"
        self.run("export", "--to", kind, "--system", *args, "-o", out, trace, status=status)
        return out.read_bytes()

    # --- One trace -------------------------------------------------------------------------------

    def trace(self, trace):
        self.name = trace.name
        perfetto = Perfetto(self.export("perfetto", trace))
        chrome = Chrome(self.export("chrome", trace))
        stat = json.loads(self.run("stat", "--json", trace))
        begin = min((s.begin for s in perfetto.slices), default=0) - \
            min((s.begin for s in chrome.slices), default=0)
        self.same(perfetto, chrome, begin)
        self.nested(perfetto)
        self.states(perfetto)
        self.arrows(perfetto, stat)
        self.totals(perfetto, stat)
        self.counters(perfetto)
        self.cut(trace, chrome, stat["duration_ns"])

    def same(self, perfetto, chrome, begin):
        def key(item):
            return str(item)

        self.equal("process", dict(perfetto.process or {}), chrome.process or {})
        self.equal("threads", perfetto.tids, chrome.tids)
        for what in ("slices", "moments", "counts"):
            ours = [i._replace(**{f: getattr(i, f) - begin for f in ("begin", "end", "time")
                                  if f in i._fields}) for i in getattr(perfetto, what)]
            self.equal(what, sorted(ours, key=key), sorted(getattr(chrome, what), key=key))
        self.equal("arrows", [a._replace(out_time=a.out_time - begin, into_time=a.into_time - begin)
                              for a in perfetto.arrows()], chrome.arrows())

    def nested(self, timeline):
        tracks = collections.defaultdict(list)
        for s in timeline.slices:
            self.check(s.begin <= s.end, f"{s} ends before it begins")
            tracks[s.thread, s.row].append(s)
        for slices in tracks.values():
            around = []
            for s in sorted(slices, key=lambda s: (s.begin, -s.end)):
                while around and around[-1].end <= s.begin:
                    around.pop()
                self.check(not around or s.end <= around[-1].end, f"{s} ends after {around[-1:]}")
                self.check(not around or around[-1].category == "region",
                           f"{s} is in {around[-1:]}, which is no region")
                around.append(s)

    def states(self, timeline):
        last = {}
        for s in sorted((s for s in timeline.slices if s.row == "state"),
                        key=lambda s: (s.begin, s.end)):
            self.equal(f"begin of {s}", s.begin, last.get(s.thread, s.begin))
            last[s.thread] = s.end
        work = {(s.thread, s.begin, s.end) for s in timeline.slices if s.category in ("wait", "call")}
        states = {(s.thread, s.begin, s.end) for s in timeline.slices
                  if s.name in ("blocked", "in a call") and s.row == "state"}
        self.equal("waits and calls, by their states", work, states)

    def arrows(self, timeline, stat):
        ended = {(s.thread, s.end): s for s in timeline.slices if s.category == "wait"}
        begun = {(s.thread, s.begin): s for s in timeline.slices if s.row == "state"}
        wakes = {(m.thread, m.time): m for m in timeline.moments if m.category == "wake"}
        sums = collections.Counter()
        for arrow in timeline.arrows():
            self.seen["arrows"] += 1
            self.equal(f"ends of {arrow}", arrow.out_time, arrow.into_time)
            wake = wakes[arrow.out_of, arrow.out_time]
            wait = ended[arrow.into, arrow.into_time]
            self.equal("who is woken", number(wake.args["woken"]), number(arrow.into))
            self.equal("who wakes", number(wait.args["waker"]), number(arrow.out_of))
            self.equal("how long", wake.args["waited_ns"], wait.end - wait.begin)
            self.equal("what for", wake.args.get("object"), wait.args.get("object"))
            self.check(begun[arrow.into, arrow.into_time].name in ("runnable", "running"),
                       f"{arrow} leads to {begun[arrow.into, arrow.into_time]}")
            sums[number(arrow.out_of), number(arrow.into), wake.stack] += wait.end - wait.begin
            sums["times", number(arrow.out_of), number(arrow.into)] += 1
        expected = collections.Counter()
        for wake in stat["wakes"]:
            if wake["waker"] is not None:
                stack = tuple(wake["stack"])
                expected[wake["waker"], wake["wakee"], stack] += wake["total_ns"]
                expected["times", wake["waker"], wake["wakee"]] += wake["waits"]
        self.equal("who woke whom", sums, expected)

    def totals(self, timeline, stat):
        names = {number(name): name for name in timeline.tids}
        sums = collections.Counter()
        calls = collections.Counter()
        for s in timeline.slices:
            if s.row == "state":
                sums[s.thread, s.name] += s.end - s.begin
            elif s.category in ("wait", "call"):
                calls[s.name] += s.end - s.begin
        for t in stat["threads"]:
            name = names.get(t["id"])
            if name is not None:
                tid = t["tid"] if stat["writer"] == "gtrace" else t["id"]
                self.equal(f"tid of {name}", timeline.tids[name], tid or (1 << 22) + t["id"])
            self.seen["threads"] += 1
            self.equal(f"times of thread {t['id']}, {name}",
                       [sums[name, state] for state in STATES],
                       [t["running_ns"], t["runnable_ns"], t["blocked_ns"],
                        t["syscall_ns"] + t["syscall_blocked_ns"]])
        for call in stat["calls"]:
            if call["call"] is not None:
                self.seen["calls"] += 1
                self.equal(f"time in {call['call']}", calls[call["call"]], call["total_ns"])

    def counters(self, timeline):
        """A counter stays what it is until it changes."""
        changes = collections.defaultdict(collections.Counter)
        for s in timeline.slices:
            if s.row == "state":
                changes[STATES[s.name]][s.begin] += 1
                changes[STATES[s.name]][s.end] -= 1
        last = max((s.end for s in timeline.slices), default=0)
        for name in STATES.values():
            ours = [(c.time, c.value) for c in timeline.counts if c.name == name and c.time < last]
            value, expected = 0, []
            for time in sorted(changes[name]):
                if changes[name][time] != 0 and time < last:
                    value += changes[name][time]
                    expected.append((time, value))
            # What was there when the trace began is counted when it is first mentioned.
            first = next((i for i, e in enumerate(expected) if e in ours), len(expected))
            self.equal(name, ours[-len(expected[first:]) or len(ours):], expected[first:])

    def cut(self, trace, whole, duration):
        begin, end = duration // 3, duration * 2 // 3
        part = Chrome(self.export("chrome", trace, "--from", f"{begin}ns", "--to", f"{end}ns"))
        if end == begin:
            return
        def same(items):  # its name may change later
            return sorted(str(i._replace(thread=i.thread and number(i.thread))) for i in items)

        expected = [s._replace(begin=max(s.begin, begin), end=min(s.end, end)) for s in whole.slices
                    if s.end >= begin and s.begin < end and (s.end > begin or s.begin == begin)
                    and (s.category != "region" or s.begin >= begin)]
        self.equal("slices of a cut", same(part.slices), same(expected))
        self.equal("arrows of a cut",
                   [(number(a.out_of), a.out_time, number(a.into)) for a in part.arrows()],
                   [(number(a.out_of), a.out_time, number(a.into)) for a in whole.arrows()
                    if begin <= a.out_time < end])
        Perfetto(self.export("perfetto", trace, "--from", f"{begin}ns", "--to", f"{end}ns"))

    # --- Files that are wrong ----------------------------------------------------------------------

    def broken(self, trace):
        self.name = f"{trace.name}, broken"
        data = trace.read_bytes()
        short = self.folder / "short.trace"
        short.write_bytes(data[:-1])
        for kind, read in (("perfetto", Perfetto), ("chrome", Chrome)):
            read(self.export(kind, short, status=3))
            (self.folder / f"out.{kind}").unlink()
            short.write_bytes(b"go 1.26 trace\0\0\0\xff")
            self.run("export", "--to", kind, "-o", self.folder / f"out.{kind}", short, status=1)
            self.check(not (self.folder / f"out.{kind}").exists(), "a file is left")
            short.write_bytes(data[:-1])


def main():
    gtrace, *args = sys.argv[1:]
    if shutil.which("protoc") is None:
        print("SKIP: no protoc (Debian: protobuf-compiler)")
        sys.exit(SKIP)
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(os.path.abspath(gtrace), folder)
        if args[0] == "--preload":
            for program in args[2:]:
                trace = pathlib.Path(folder, pathlib.Path(program).name + ".trace")
                env = dict(os.environ, LD_PRELOAD=os.path.abspath(args[1]), GTRACE_OUT=str(trace))
                subprocess.run([program], check=True, stdout=subprocess.DEVNULL, env=env)
                checker.trace(trace)
            checker.check(checker.seen["arrows"] > 0, "no arrow in any program")
        else:
            for text in map(pathlib.Path, args):
                trace = pathlib.Path(folder, text.stem + ".trace")
                checker.run("assemble", text, "-o", trace)
                checker.trace(trace)
            checker.broken(trace)
            for what in ("arrows", "threads", "calls"):
                checker.check(checker.seen[what] > 0, f"no {what} in any trace")
        print(dict(checker.seen))
        sys.exit(checker.failures != 0)


if __name__ == "__main__":
    main()
