"""Where the kernel's record is not whole, and which waits of a trace that spoils.

perf says what it lost when it next has room in a processor's buffer, and nothing if it never has: perf
itself may be kept from running until the load has ended. So the trace is asked, too: a thread that
waits long goes to sleep, and a record that names it nowhere in such a wait lacks that stretch of time.
"""

import bisect

import kernel

SURE_NS = 200_000    # no wait spins or finds its value changed for so long
MISSING_PERCENT = 10  # of the waits, beyond which nothing is compared


def silent(times, begin, end, first, last):
    """The stretch around an interval between events at these times: all stretches that touch it."""
    i, j = bisect.bisect_left(times, begin), bisect.bisect_right(times, end)
    return times[i - 1] if i else min(first, begin), times[j] if j < len(times) else max(last, end)


def unseen(trace, seen):
    """Stretches in which a processor is silent, and a thread that waits lacks its going or coming."""
    for w in trace.waits:
        told = seen.told.get(w.tid, [])
        i = bisect.bisect_left(told, w.begin)
        if w.end - w.begin < SURE_NS or i < len(told) and told[i] <= w.end:
            continue
        mine = silent(told, w.begin, w.end, seen.first, seen.last)
        for begin in (w.begin, w.end - SURE_NS):
            for times in seen.on.values():
                its = silent(times, begin, begin + SURE_NS, seen.first, seen.last)
                yield max(mine[0], its[0]), min(mine[1], its[1])


def united(stretches):
    """The same times, sorted and apart from each other."""
    apart = []
    for begin, end in sorted(stretches):
        if apart and begin <= apart[-1][1]:
            apart[-1][1] = max(apart[-1][1], end)
        else:
            apart.append([begin, end])
    return apart


def leave_out(trace, seen):
    """Takes the waits that touch a hole out of the trace; what to say about it, or None.

    A thread's hole spoils the waits of all: it may have been their waker."""
    holes = united([(begin, end) for begin, end, _ in seen.lost] + list(unseen(trace, seen)))
    if not holes or not trace.waits:
        return None
    begins = [begin for begin, _ in holes]

    def whole(w):
        i = bisect.bisect_right(begins, w.end)
        return not i or holes[i - 1][1] < w.begin
    kept = [w for w in trace.waits if whole(w)]
    out, of = len(trace.waits) - len(kept), len(trace.waits)
    lost = sum(n for _, _, n in seen.lost)
    said = (f"perf's record is not whole: holes of {sum(e - b for b, e in holes) / 1e6:.1f} ms, "
            f"{lost or 'no'} events lost by its own account; they touch {out} of {of} waits")
    if 100 * out > MISSING_PERCENT * of:
        raise kernel.Incomplete(f"{said}: more than {MISSING_PERCENT} %, nothing can be compared")
    trace.waits = kept
    return f"{said}, which are left out"
