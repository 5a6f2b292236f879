#!/usr/bin/env python3
"""What scripts/bench says of figures: where a median lies, and whether a goal is held, missed, or
not told. Held against what can be counted by hand."""
import itertools
import sys

sys.dont_write_bytecode = True

import goals        # noqa: E402
from results import Result, interval    # noqa: E402
from tracers import Tracer              # noqa: E402
from workloads import Row, Sample       # noqa: E402


def beside(n, k):
    """Of all ways in which n values fall below or above the median, the share in which it lies
    outside of the k-th from below and from above."""
    ways = list(itertools.product((0, 1), repeat=n))
    return sum(not k <= sum(way) <= n - k for way in ways) / len(ways)


def check_interval():
    for n in range(13):
        found = interval(list(range(n, 0, -1)))
        k = found[0] if found else 0
        assert not found or found == (k, n + 1 - k), (n, found)
        assert k == 0 or beside(n, k) <= 0.05, (n, k)
        assert beside(n, k + 1) > 0.05, (n, k)
    assert interval(list(range(1, 16))) == (4, 12)
    assert interval(list(range(1500)))


def verdict(added, floor=None):
    """Of the hand-off without stacks, which may add 60 ns of processor time."""
    row = Row(run=None, name="mutex_handoff", doc="", kind="", unit="ns/op")

    def result(name, values):
        tracer = Tracer(start=None, name=name, doc="", stacks=False, peer=False, gtrace=True)
        return Result(row, tracer, [Sample(100, 100, 1) for _ in values],
                      [Sample(100, None if v is None else 100 + v, 1) for v in values])

    class Run:
        results = [result("gtrace-nostacks", added)]
    if floor:
        Run.results.append(result("floor", floor))
    (judged,) = goals.judge([Run])
    return judged.verdict()


def check_verdicts():
    for expected, *measured in (
            ("held", [50] * 15), ("missed", [70] * 15),
            ("held; not told", [50] * 8 + [70] * 7), ("missed; not told", [70] * 8 + [50] * 7),
            ("held", [50] * 12 + [70] * 3), ("held; not told", [50] * 5),
            ("missed, as by the floor", [70] * 15, [61] * 15), ("missed", [70] * 15, [60] * 15),
            ("missed", [70] * 15, [None] * 15)):
        assert verdict(*measured) == expected, (expected, measured, verdict(*measured))


check_interval()
check_verdicts()
