"""The waits of a trace, as its own facts and GoUnblocks tell them, in CLOCK_MONOTONIC.

Reads `gtrace dump --facts`: one source, and no order across threads is needed, because a wait is
its thread's own facts (Block, WaitEnd, Retake) and the one GoUnblock of its G between them.
"""

import bisect
import collections
import re
import subprocess

# enum gt_ended: ended by a wake-up, with or without a name for it.
WAKER, NOBODY, REFUSED = 1, 2, 6
WOKEN = {WAKER, NOBODY, REFUSED}


class Wait:
    __slots__ = ("g", "tid", "begin", "unblock", "end", "object", "kind", "how", "waker", "retake",
                 "on_cpu")

    def __init__(self, g, tid, begin, object_, kind):
        self.g, self.tid, self.begin, self.object, self.kind = g, tid, begin, object_, kind
        self.unblock = self.end = self.how = None
        self.waker = None   # tid, or None: not named
        self.retake = None  # (mutex, tid of its owner, ns)
        self.on_cpu = 0     # ns, by the kernel's count (GTRACE_CPU)


class Trace:
    FACT = re.compile(r"# (\w+) time=(\d+) (.*)")
    KIND = re.compile(r"\(([^()]+(?:\([^()]+\))?)\)")

    def __init__(self, gtrace, file):
        self.tid_of = {}                          # G: its thread
        unblocks = collections.defaultdict(list)  # G: ticks
        facts = collections.defaultdict(list)     # G: (ticks, order, name, numbers, kind)
        snapshots = []                            # ticks, CLOCK_MONOTONIC
        frequency, m, ticks = None, None, 0
        p = subprocess.Popen([gtrace, "dump", "--facts", file], stdout=subprocess.PIPE, text=True,
                             errors="replace")
        for line in p.stdout:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "#":
                found = self.FACT.match(line)
                if found and found[1] in ("Block", "WaitEnd", "Retake", "OnCpu"):
                    numbers = self.numbers(found[3])
                    kind = self.KIND.search(found[3])
                    facts[numbers["g"]].append((int(found[2]), len(facts[numbers["g"]]), found[1],
                                                numbers, m, kind and kind[1]))
                continue
            if word in ("EventBatch", "ExperimentalBatch"):
                numbers = self.numbers(rest)
                m, ticks = numbers["m"], numbers["time"]
                continue
            if word == "Frequency":
                frequency = self.numbers(rest)["freq"]
            elif rest.startswith("dt="):
                numbers = self.numbers(rest)
                ticks += numbers["dt"]
                if word == "GoStart":
                    self.tid_of[numbers["g"]] = m
                elif word in ("GoStatus", "GoStatusStack") and m < 1 << 63:
                    self.tid_of.setdefault(numbers["g"], numbers["m"])
                elif word == "GoUnblock":
                    unblocks[numbers["g"]].append(ticks)
                elif word == "ClockSnapshot":
                    snapshots.append((ticks, numbers["mono"]))
        if p.wait() not in (0, 3) or not snapshots:
            raise OSError(f"gtrace dump {file}: status {p.returncode}")
        self.scale = 1_000_000_000 // frequency
        self.snapshots = sorted(snapshots)
        self.clock_error = max(abs(mono - at * self.scale) for at, mono in self.snapshots)
        # The line that begins at a snapshot meets CLOCK_MONOTONIC a period later (clock.h).
        at = self.snapshots[-1][0] + (self.snapshots[-1][0] - self.snapshots[-2][0]
                                      if len(self.snapshots) > 1 else frequency)
        self.snapshots.append((at, at * self.scale))
        self.waits = []
        for g, told in facts.items():
            self.pair(g, sorted(told), sorted(unblocks[g]))

    @staticmethod
    def numbers(text):
        """name=number of a line; what is no number is left out."""
        found = {}
        for word in text.split(" "):
            name, _, value = word.partition("=")
            try:
                found[name] = int(value, 0)
            except ValueError:
                pass
        return found

    def monotonic(self, ticks):
        """The trace clock is steered to CLOCK_MONOTONIC; what is left is taken out here."""
        i = bisect.bisect_right(self.snapshots, (ticks, 1 << 64))
        at, mono = self.snapshots[max(i - 1, 0)]
        error = mono - at * self.scale
        if 0 < i < len(self.snapshots):
            later, then = self.snapshots[i]
            part = (ticks - at) / (later - at)
            error += part * (then - later * self.scale - error)
        return round(ticks * self.scale + error)

    def pair(self, g, told, unblocks):
        wait = retake = None
        on_cpu = 0
        for ticks, _, name, numbers, m, kind in told:
            if name == "Block":
                wait = Wait(g, m, ticks, numbers["object"], kind)
                retake = None
                on_cpu = 0
            elif name == "Retake":
                retake = (numbers["mutex"], self.tid_of.get(numbers["owner"]), numbers["ns"])
            elif name == "OnCpu":
                on_cpu = numbers["ns"]
            elif wait:
                wait.on_cpu = on_cpu
                wait.how = numbers["how"]
                wait.waker = self.tid_of.get(numbers["waker"]) if numbers["waker"] else None
                wait.retake = retake
                i = bisect.bisect_left(unblocks, wait.begin)
                at = unblocks[i] if i < len(unblocks) else ticks
                wait.unblock = self.monotonic(min(at, ticks))
                wait.begin, wait.end = self.monotonic(wait.begin), self.monotonic(ticks)
                self.waits.append(wait)
                wait = None
