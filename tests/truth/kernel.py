"""The kernel's own record of sleeping and waking: perf's tracepoints, and what follows from them.

Needs root (or perf_event_paranoid -1) and perf. Times are nanoseconds of CLOCK_MONOTONIC.
"""

import bisect
import collections
import os
import re
import shutil
import subprocess

# What runs when an interrupt wakes a thread (a timer, the network) is not its waker. 24:
# TRACE_FLAG_HARDIRQ and _SOFTIRQ. The wake-ups of futexes come from calls.
SWITCHES = ("-e", "sched:sched_waking", "--filter", "!(common_flags & 24)",
            "-e", "sched:sched_switch")
# A record of these lengthens the waits by what it costs: not for times.
WAKERS = (*SWITCHES, "-e", "syscalls:sys_enter_futex", "-e", "syscalls:sys_exit_futex")

# FUTEX_WAIT, LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2
WAITS = {0, 6, 9, 11, 13}
PRIVATE = 128
# perf runs before the load does, and has room: a record with holes is worth nothing.
RECORD = ("perf", "record", "-q", "-a", "-k", "CLOCK_MONOTONIC", "-m", "16384", "-r", "1")


class Incomplete(OSError):
    """perf could not keep up all the same."""


def missing():
    """Why there can be no record here, or None."""
    if not shutil.which("perf"):
        return "perf is not installed (Debian: linux-perf)"
    p = subprocess.run([*RECORD, "-o", "/dev/null", *WAKERS, "--", "true"],
                       capture_output=True, text=True)
    if p.returncode != 0:
        return "perf record refuses: " + (p.stderr.strip().splitlines() or ["?"])[0]
    return None


class Recorder:
    """with Recorder(file): everything that happens inside is in the file."""

    def __init__(self, file, events):
        self.file, self.events = file, events

    def __enter__(self):
        orders, self.orders = os.pipe()
        self.answers, answers = os.pipe()
        self.perf = subprocess.Popen(
            [*RECORD, "-D", "-1", "--control", f"fd:{orders},{answers}", "-o", self.file,
             *self.events],
            pass_fds=(orders, answers), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, start_new_session=True)
        os.close(orders)
        os.close(answers)
        self.order("enable")
        return self

    def order(self, word):
        os.write(self.orders, f"{word}\n".encode())
        if not os.read(self.answers, 16):
            raise OSError(f"perf record: {self.perf.communicate()[1].decode().strip()}")

    def __exit__(self, *_):
        if self.perf.poll() is None:
            self.order("disable")
            self.perf.terminate()
        self.perf.communicate()
        os.close(self.orders)
        os.close(self.answers)


class Call:
    """One futex call that may wait: from enter to exit, and the wake-ups of its thread in it."""
    __slots__ = ("enter", "exit", "word", "private", "result", "wakers")

    def __init__(self, enter, word, private):
        self.enter, self.word, self.private = enter, word, private
        self.exit, self.result = None, None
        self.wakers = []  # (time, tid of the thread that ran)


def script(file):
    """The lines of a record, as Record takes them."""
    p = subprocess.Popen(["perf", "script", "-i", file, "--ns", "--show-lost-events",
                          "-F", "tid,cpu,time,event,trace"], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True, errors="replace")
    yield from p.stdout
    if p.wait() != 0:
        raise OSError(f"perf script: status {p.returncode}")


class Record:
    """What happened to each thread: futex calls, and times off the processor."""

    LINE = re.compile(r"\s*(-?\d+)\s+\[(\d+)\]\s+(\d+)\.(\d{9}):\s+\w+:(\w+): (.*)")
    LOST = re.compile(r"\s*-?\d+\s+\[(\d+)\]\s+(\d+)\.(\d{9}): PERF_RECORD_LOST lost (\d+)")
    WAKING = re.compile(r"comm=.* pid=(\d+) prio=")
    SWITCH = re.compile(r"prev_comm=.* prev_pid=(\d+) prev_prio=-?\d+ prev_state=(\S+) "
                        r"==> next_comm=.* next_pid=(\d+) ")
    ENTER = re.compile(r"uaddr: 0x([0-9a-f]+), op: 0x([0-9a-f]+)")

    def __init__(self, lines):
        self.calls = collections.defaultdict(list)   # tid: futex calls that wait
        # tid: [out, state, waking or None, back in]. Back in is None where the record has a hole: on
        # some machines a processor never tells of its leaving the idle task.
        self.away = collections.defaultdict(list)
        self.wakes = collections.defaultdict(list)   # futex word: (time, tid) of wake calls
        self.told = collections.defaultdict(list)    # tid: times of all that names it
        self.on = collections.defaultdict(list)      # processor: times of its events
        self.lost = []                               # (from, to, how many): perf says so itself
        self.first = self.last = None
        open_calls = {}
        gone = {}
        for line in lines:
            m = self.LINE.match(line)
            if not m:
                m = self.LOST.match(line)
                if m:
                    now, before = int(m[2] + m[3]), self.on[m[1]]
                    self.lost.append((before[-1] if before else self.first or now, now, int(m[4])))
                continue
            tid, now = int(m[1]), int(m[3] + m[4])
            self.first = self.first or now
            self.last = now
            self.on[m[2]].append(now)
            self.told[tid].append(now)
            if m[5] == "sched_waking":
                who = int(self.WAKING.match(m[6])[1])
                if who in open_calls:
                    open_calls[who].wakers.append((now, tid))
                if who in gone:
                    gone[who][2] = now
            elif m[5] == "sched_switch":
                out, state, back = self.SWITCH.match(m[6]).groups()
                self.told[int(back)].append(now)
                hole = gone.pop(int(out), None)
                if hole:
                    self.away[int(out)].append(hole)
                gone[int(out)] = [now, state, None, None]
                interval = gone.pop(int(back), None)
                if interval:
                    interval[3] = now
                    self.away[int(back)].append(interval)
            elif m[5] == "sys_enter_futex":
                e = self.ENTER.match(m[6])
                word, op = int(e[1], 16), int(e[2], 16)
                if op & 0x7f in WAITS:
                    open_calls[tid] = Call(now, word, bool(op & PRIVATE))
                else:
                    self.wakes[word].append((now, tid))
            elif tid in open_calls:
                call = open_calls.pop(tid)
                call.exit = now
                call.result = int(m[6], 16)
                call.result -= (call.result >> 63) << 64
                self.calls[tid].append(call)
        for tid, interval in gone.items():
            self.away[tid].append(interval)
        if self.last is None:
            raise Incomplete("perf's record has no event")

    def calls_of(self, tid, begin, end):
        """Futex calls of a thread that began in an interval."""
        calls = self.calls.get(tid, [])
        i = bisect.bisect_left(calls, begin, key=lambda c: c.enter)
        while i < len(calls) and calls[i].enter <= end:
            yield calls[i]
            i += 1

    def away_of(self, tid, begin, end):
        """Times off the processor of a thread that began in an interval."""
        away = self.away.get(tid, [])
        i = bisect.bisect_left(away, begin, key=lambda a: a[0])
        while i < len(away) and away[i][0] <= end:
            yield away[i]
            i += 1
