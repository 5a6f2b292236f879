#!/usr/bin/env python3
"""Holes in the kernel's record are found, told, and nothing is put down to the trace because of them.

The record is made up in the form of perf script: two threads on two processors that wake each other
by a futex, and a third that waits for their end. Then pieces of it are taken away.
"""

import sys
import types

sys.dont_write_bytecode = True

import compare  # noqa: E402
import holes    # noqa: E402
import kernel   # noqa: E402
import waits    # noqa: E402

TURN_NS, TURNS = 1_000_000, 1000
WORD, MAIN, IDLE = 0x7000, 10, 0


def line(tid, cpu, now, event, text):
    return f"{tid:6} [{cpu:03}] {now // 10**9:6}.{now % 10**9:09}: {event}: {text}\n"


def switch(cpu, now, out, state, back):
    return line(out, cpu, now, "sched:sched_switch",
                f"prev_comm=a b prev_pid={out} prev_prio=120 prev_state={state} ==> "
                f"next_comm=c next_pid={back} next_prio=120")


def whole():
    """(time, processor, line) of everything, and the waits."""
    told, found, begun = [], [], {}

    def say(now, cpu, text):
        told.append((now, cpu, text))
    say(10**9, 0, switch(0, 10**9, MAIN, "S", IDLE))
    for turn in range(TURNS):
        now, cpu = 10**9 + (turn + 1) * TURN_NS, turn % 2
        me, other = 11 + cpu, 12 - cpu
        if other in begun:
            say(now - 9000, cpu, line(me, cpu, now - 9000, "sched:sched_waking",
                                      f"comm=d pid={other} prio=120 target_cpu=000"))
            say(now - 5000, 1 - cpu, switch(1 - cpu, now - 5000, IDLE, "R", other))
            say(now - 4000, 1 - cpu, line(other, 1 - cpu, now - 4000, "syscalls:sys_exit_futex", "0x0"))
            w = waits.Wait(other, other, begun[other], WORD, "futex")
            w.unblock, w.end, w.how, w.waker = now - 9000, now - 3000, waits.WAKER, me
            found.append(w)
        begun[me] = now
        say(now + 1000, cpu, line(me, cpu, now + 1000, "syscalls:sys_enter_futex",
                                  f"uaddr: 0x{WORD:x}, op: 0x00000080, val: 0x00000000"))
        say(now + 2000, cpu, switch(cpu, now + 2000, me, "S", IDLE))
    end = 10**9 + (TURNS + 2) * TURN_NS
    say(end - 9000, 0, line(11, 0, end - 9000, "sched:sched_waking", f"comm=d pid={MAIN} prio=120"))
    say(end, 0, switch(0, end, IDLE, "R", MAIN))
    return sorted(told), found


def compared(told, found, asked=True):
    """What is said of the record, and the waits that are compared: all, asleep, wrong."""
    trace = types.SimpleNamespace(waits=list(found), clock_error=0)
    seen = kernel.Record(text for _, _, text in told)
    said = holes.leave_out(trace, seen) if asked else None
    total = compare.Comparison(trace, seen).total()
    return said, (total.waits, total.asleep, total.wrong)


def without(told, begin_ms, end_ms, cpus=(0, 1)):
    return [(now, cpu, text) for now, cpu, text in told
            if cpu not in cpus or not begin_ms <= (now - 10**9) / 1e6 <= end_ms]


def expect(what, condition, said):
    if not condition:
        sys.exit(f"{what}: {said}")


def main():
    told, found = whole()
    said, counts = compared(told, found)
    expect("the whole record", said is None and counts == (TURNS - 1, TURNS - 1, 0), (said, counts))

    for what, cpus in (("both processors", (0, 1)), ("one processor", (1,))):
        cut = without(told, 200.5, 230.5, cpus)
        _, (_, asleep, wrong) = compared(cut, found, asked=False)
        expect(f"{what}: the hole spoils nothing", asleep < TURNS - 10 or wrong, (asleep, wrong))
        said, (n, asleep, wrong) = compared(cut, found)
        expect(what, said and "not whole" in said and "left out" in said, said)
        expect(what, TURNS - 40 <= n == asleep and not wrong, (n, asleep, wrong))

    # perf says so itself, when it has room again. Short waits give no sign of their own.
    cut = without(told, 200.5, 203.5, (1,))
    at = next(i for i, (now, cpu, _) in enumerate(cut) if cpu == 1 and now > 10**9 + 203_500_000)
    now = cut[at][0]
    cut.insert(at, (now, 1, f"    12 [001]      {now // 10**9}.{now % 10**9:09}: PERF_RECORD_LOST lost 17\n"))
    said, (n, asleep, wrong) = compared(cut, found)
    expect("LOST", said and " 17 events lost" in said, said)
    expect("LOST", TURNS - 12 <= n == asleep and not wrong, (n, asleep, wrong))

    # It never had room again: the record just ends. Then all of it is gone from one processor.
    said, (n, asleep, wrong) = compared(without(told, 950.5, 2000), found)
    expect("the end", said and TURNS - 60 <= n == asleep and not wrong, (said, n, asleep, wrong))
    for what, cut in (("a third", without(told, 200.5, 530.5)),
                      ("a processor", without(told, 0.5, 2000, (1,)))):
        try:
            expect(what, None, compared(cut, found))
        except kernel.Incomplete as e:
            expect(what, "nothing can be compared" in str(e), e)
    try:
        expect("an empty record", None, compared([], found))
    except kernel.Incomplete as e:
        expect("an empty record", "no event" in str(e), e)


main()
