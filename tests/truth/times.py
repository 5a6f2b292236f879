"""How long each wait was: a trace and the kernel's record of the same run."""

import collections
import statistics

import waits

PERCENT = 2             # between the trace's and the kernel's time
# In sum. From GoBlock to GoStart a thread also goes to sleep and comes back: 2 us on a processor.
LIMIT = {"stopped": 3, "still": PERCENT}
ENOUGH_NS = 20_000_000  # blocked time of a thread below which a per cent says nothing


class Thread:
    def __init__(self):
        self.waits = 0
        # Sums in ns: the trace's and the kernel's.
        self.blocked, self.sleeping = 0, 0    # to GoUnblock; asleep, to the waking
        self.stopped, self.away = 0, 0        # to GoStart; off the processor
        self.still = 0                        # to GoStart, without its own time on a processor

    def off(self, field):
        return off(getattr(self, field), self.away)


def off(mine, theirs):
    return 100 * (mine - theirs) / theirs if theirs else 0


class Times:
    """field: what is to agree with the time off the processor, "stopped" or "still"."""

    def __init__(self, trace, seen, field):
        self.trace, self.seen, self.field = trace, seen, field
        self.threads = collections.defaultdict(Thread)
        self.holes = 0
        self.before, self.after = [], []     # a wait's edges against the kernel's, ns
        for w in trace.waits:
            if seen.first < w.begin and w.end < seen.last and w.how in waits.WOKEN:
                self.take(w)

    def take(self, w):
        t = self.threads[w.tid]
        away = list(self.seen.away_of(w.tid, w.begin, w.end))
        if any(a[3] is None for a in away):
            self.holes += 1
            return
        away = [a for a in away if a[3] <= w.end]
        slept = [a for a in away if a[1][0] in "SD"]
        if not slept:
            return
        t.waits += 1
        t.stopped += w.end - w.begin
        t.still += w.end - w.begin - w.on_cpu
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

    def compare(self, what, mine, theirs):
        """One line: in sum and by thread."""
        by = sorted(off(getattr(t, mine), getattr(t, theirs)) for t in self.enough())
        if by:
            good = sum(abs(x) <= PERCENT for x in by)
            print(f"  {what}: {self.sum(mine) / 1e6:.1f} / {self.sum(theirs) / 1e6:.1f} ms, "
                  f"{off(self.sum(mine), self.sum(theirs)):+.2f} %; by thread {by[0]:+.2f} to "
                  f"{by[-1]:+.2f} %, {good} of {len(by)} threads within {PERCENT} %")

    def enough(self):
        return [t for t in self.threads.values() if t.away >= ENOUGH_NS]

    def outside(self):
        """Lines: threads beyond the limit."""
        return [f"{t.off(self.field):+.2f} %: a thread with {t.waits} waits of "
                f"{t.away / t.waits / 1000:.1f} us each"
                for t in self.enough() if abs(t.off(self.field)) > PERCENT]

    def print(self):
        if self.field == "still":
            self.compare("blocked, less its time on a processor (GTRACE_CPU) / off the processor",
                         "still", "away")
        else:
            self.compare("stopped (to GoStart) / off the processor", "stopped", "away")
            self.compare("blocked (to GoUnblock) / asleep to waking", "blocked", "sleeping")
        for line in self.outside():
            print(f"    {line}")
        if self.before:
            n = len(self.before)
            print(f"    {n} waits, {self.sum('away') / n / 1000:.1f} us each; begin "
                  f"{statistics.median(self.before)} ns (median) before their thread leaves the "
                  f"processor, end {statistics.median(self.after)} ns after it is back; {self.holes} "
                  f"left out: the record has a hole there")

    def verdict(self, each):
        """What is outside the limits."""
        if not self.before:
            return ["no wait in which a thread slept: no times were compared"]
        x = off(self.sum(self.field), self.sum("away"))
        sums = [f"blocked time is {x:+.2f} % off the kernel's"] if abs(x) > LIMIT[self.field] else []
        return sums + (self.outside() if each else [])


def floor(seen, text):
    """The same for the clock of a thread that waits by itself: tests/truth/floor.c."""
    mine, kernel = 0, 0
    before, after = [], []
    for line in text.splitlines():
        tid, begin, end = map(int, line.split())
        away = list(seen.away_of(tid, begin, end))
        if away and all(a[3] is not None and a[3] <= end for a in away):
            mine += end - begin
            kernel += sum(back - out for out, _, _, back in away)
            before.append(away[0][0] - begin)
            after.append(end - away[-1][3])
    return (f"{len(before)} waits, {kernel / len(before) / 1000:.1f} us each: the thread's own clock "
            f"says {off(mine, kernel):+.2f} %, {(mine - kernel) / len(before):.0f} ns a wait; medians "
            f"{statistics.median(before)} ns before it leaves the processor, "
            f"{statistics.median(after)} ns after it is back")
