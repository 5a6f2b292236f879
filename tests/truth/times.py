"""How long each wait was: a trace and the kernel's record of the same run."""

import collections
import statistics

import waits

PERCENT = 2             # between the trace's and the kernel's time
ENOUGH_NS = 20_000_000  # blocked time of a thread below which a per cent says nothing


class Thread:
    def __init__(self):
        self.waits = 0
        # Sums in ns: the trace's and the kernel's.
        self.blocked, self.sleeping = 0, 0    # to GoUnblock; asleep, to the waking
        self.stopped, self.away = 0, 0        # to GoStart; off the processor

    def off(self):
        return off(self.stopped, self.away)


def off(mine, theirs):
    return 100 * (mine - theirs) / theirs if theirs else 0


class Times:
    def __init__(self, trace, seen):
        self.trace, self.seen = trace, seen
        self.threads = collections.defaultdict(Thread)
        self.before, self.after = [], []     # a wait's edges against the kernel's, ns
        for w in trace.waits:
            if seen.first < w.begin and w.end < seen.last and w.how in waits.WOKEN:
                self.take(w)

    def take(self, w):
        t = self.threads[w.tid]
        away = [a for a in self.seen.away_of(w.tid, w.begin, w.end) if a[3] <= w.end]
        slept = [a for a in away if a[1][0] in "SD"]
        if not slept:
            return
        t.waits += 1
        t.stopped += w.end - w.begin
        t.away += sum(back - out for out, _, _, back in away)
        if all(a[2] for a in slept):
            t.blocked += w.unblock - w.begin
            # From first to last: between two sleeps it ran, or waited for a processor, still
            # without what it waited for.
            t.sleeping += slept[-1][2] - slept[0][0]
        self.before.append(slept[0][0] - w.begin)
        self.after.append(w.end - away[-1][3])

    def sum(self, field):
        return sum(getattr(t, field) for t in self.threads.values())

    def print(self):
        enough = [t for t in self.threads.values() if t.away >= ENOUGH_NS]
        for what, mine, theirs in (
                ("stopped (to GoStart) / off the processor", "stopped", "away"),
                ("blocked (to GoUnblock) / asleep to waking", "blocked", "sleeping")):
            by = sorted(off(getattr(t, mine), getattr(t, theirs)) for t in enough)
            if not by:
                continue
            good = sum(abs(x) <= PERCENT for x in by)
            print(f"  {what}: {self.sum(mine) / 1e6:.1f} / {self.sum(theirs) / 1e6:.1f} ms, "
                  f"{off(self.sum(mine), self.sum(theirs)):+.2f} %; by thread {by[0]:+.2f} to "
                  f"{by[-1]:+.2f} %, {good} of {len(by)} threads within {PERCENT} %")
        for t in enough:
            if abs(t.off()) > PERCENT:
                print(f"    {t.off():+.2f} %: a thread with {t.waits} waits of "
                      f"{t.away / t.waits / 1000:.1f} us each")
        if self.before:
            n = len(self.before)
            print(f"  a wait begins {statistics.median(self.before)} ns (median) before its thread "
                  f"leaves the processor, ends {statistics.median(self.after)} ns after it is back; "
                  f"{n} waits, {self.sum('away') / n / 1000:.1f} us each")

    def verdict(self):
        """What is outside the limits."""
        if not self.before:
            return ["no wait in which a thread slept: no times were compared"]
        x = off(self.sum("stopped"), self.sum("away"))
        return [f"blocked time is {x:+.2f} % off the kernel's"] if abs(x) > PERCENT else []


def floor(seen, text):
    """The same for the clock of a thread that waits by itself: tests/truth/floor.c."""
    mine, kernel = 0, 0
    before, after = [], []
    for line in text.splitlines():
        tid, begin, end = map(int, line.split())
        away = [a for a in seen.away_of(tid, begin, end) if a[3] <= end]
        if away:
            mine += end - begin
            kernel += sum(back - out for out, _, _, back in away)
            before.append(away[0][0] - begin)
            after.append(end - away[-1][3])
    return (f"{len(before)} waits, {kernel / len(before) / 1000:.1f} us each: the thread's own clock "
            f"says {off(mine, kernel):+.2f} %, {(mine - kernel) / len(before):.0f} ns a wait; medians "
            f"{statistics.median(before)} ns before it leaves the processor, "
            f"{statistics.median(after)} ns after it is back")
