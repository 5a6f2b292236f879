"""Who ended each wait: a trace and the kernel's record of the same run."""

import collections

import waits

# Bytes of an object that futexes of its waiters lie in (x86-64 glibc); a joiner's lies in the
# other thread's descriptor and is the only one that is not private.
SIZES = {"mutex": 40, "cond": 48, "rwlock (read)": 56, "rwlock (write)": 56, "semaphore": 32,
         "barrier": 32, "once": 4, "futex": 4}

WRONG_PERCENT = 1     # of waits that the kernel ended by a wake-up


def percent(part, whole):
    return f"{100 * part / whole:6.2f} %" if whole else "     - "


class Row:
    """Waits of one kind, counted by how the name compares."""

    def __init__(self):
        self.waits = self.asleep = self.right = self.wrong = self.unnamed = self.refused = 0
        self.examples = []


class Comparison:
    def __init__(self, trace, seen):
        self.trace, self.seen = trace, seen
        self.rows = collections.defaultdict(Row)
        self.retakes = Row()
        self.apart = collections.Counter()   # waits that no wake-up ended, by how
        for w in trace.waits:
            if w.begin <= seen.first or w.end >= seen.last:
                continue
            if w.how not in waits.WOKEN:
                self.apart[w.how] += 1
                continue
            self.take(w)

    # --- Who ---------------------------------------------------------------------------------

    def waking(self, w, object_, kind):
        """The last futex call of a wait on an object that a wake-up ended; None: there is none."""
        size = SIZES.get(kind)
        found = None
        for call in self.seen.calls_of(w.tid, w.begin, w.end):
            mine = object_ <= call.word < object_ + size if size else not call.private
            if mine and call.result == 0 and call.wakers:
                found = call
        return found

    def count(self, row, w, call, named):
        row.waits += 1
        if not call:
            return
        row.asleep += 1
        kernel = call.wakers[-1][1]
        if named is None:
            row.unnamed += 1
        elif named == kernel:
            row.right += 1
            row.refused += w.how == waits.REFUSED
        else:
            row.wrong += 1
        if named != kernel:
            row.examples.append((w, call, named))

    def take(self, w):
        call = self.waking(w, w.object, w.kind)
        self.count(self.rows[w.kind], w, call, w.waker)
        again = None
        if w.kind == "cond":
            mutexes = [c for c in self.seen.calls_of(w.tid, call.exit if call else w.begin, w.end)
                       if c.result == 0 and c.wakers and not
                       w.object <= c.word < w.object + SIZES["cond"]
                       and (not w.retake or w.retake[0] <= c.word < w.retake[0] + 40)]
            again = mutexes[-1] if mutexes else None
            if again or w.retake:
                self.count(self.retakes, w, again, w.retake and w.retake[1])

    # --- The report --------------------------------------------------------------------------

    def total(self):
        t = Row()
        for row in self.rows.values():
            for field in ("waits", "asleep", "right", "wrong", "unnamed", "refused"):
                setattr(t, field, getattr(t, field) + getattr(row, field))
        return t

    @staticmethod
    def line(name, r):
        print(f"  {name:16} {r.waits:8} {r.waits - r.asleep:8} {r.asleep:8}"
              f"  {percent(r.right, r.asleep)} {percent(r.wrong, r.asleep)} "
              f"{percent(r.unnamed, r.asleep)} {percent(r.refused, r.asleep)}")

    def print(self):
        print(f"  {'waits for':16} {'woken':>8} {'no sleep':>8} {'compared':>8}"
              f"  {'right':>8} {'wrong':>8} {'unnamed':>8} {'fact only':>8}")
        for kind, row in sorted(self.rows.items()):
            self.line(kind, row)
        self.line("all", self.total())
        if self.retakes.waits:
            self.line("(cond's mutex)", self.retakes)
        if self.apart:
            print("  ended otherwise, not compared: " + ", ".join(
                f"{n} {what}" for how, what in ((3, "timed out"), (4, "by an error"),
                                                (5, "cancelled")) if (n := self.apart[how])))
        print(f"  the trace's clock is off CLOCK_MONOTONIC by {self.trace.clock_error} ns at most, "
              "taken out above")

    def verdict(self):
        """What is outside the limits."""
        t, bad = self.total(), []
        if not t.asleep:
            return ["no wait that the kernel ended by a wake-up: nothing was compared"]
        if 100 * t.wrong > WRONG_PERCENT * t.asleep:
            bad.append(f"{t.wrong} of {t.asleep} wakers are wrong")
        return bad

    # --- Examples ----------------------------------------------------------------------------

    def show(self, n):
        if not n:
            return
        for kind, row in sorted(self.rows.items()) + [("retake", self.retakes)]:
            for w, call, named in row.examples[:n]:
                self.show_one(kind, w, call, named)

    def show_one(self, kind, w, call, named):
        print(f"\n  {kind} {w.object:#x}: tid {w.tid} {w.begin} to {w.end}, unblock "
              f"{w.unblock - w.begin:+} how {w.how}; named {named}, "
              f"the kernel says {call.wakers[-1][1]} at {call.wakers[-1][0] - w.begin:+}")
        lines = []
        for tid, calls in self.seen.calls.items():
            for c in calls:
                if c.exit >= w.begin and c.enter <= w.end and w.object <= c.word < w.object + 48:
                    lines.append((c.enter, f"{tid} waits +{c.word - w.object}"))
                    lines.append((c.exit, f"{tid} returns {c.result}"))
                    lines += [(at, f"{tid} is woken by {by}") for at, by in c.wakers]
        for word, wakes in self.seen.wakes.items():
            if w.object <= word < w.object + 48:
                lines += [(at, f"{tid} wakes +{word - w.object}") for at, tid in wakes
                          if w.begin <= at <= w.end]
        for o in self.trace.waits:
            if o is not w and o.object == w.object and o.end >= w.begin and o.begin <= w.end:
                lines.append((o.begin, f"{o.tid} GoBlock"))
                lines.append((o.unblock, f"{o.tid} GoUnblock by {o.waker}"))
                lines.append((o.end, f"{o.tid} GoStart"))
        for at, text in sorted(lines):
            print(f"    {at - w.begin:+10} {text}")
