"""What gtrace promises of its cost (docs/design.md, section 9): the only list, beside what was measured.

Added time is user and system time of the process on rows of one processor, where it is what the
program loses and does not move with other work; elsewhere it is time on the wall.
"""
import dataclasses

from results import interval, median


@dataclasses.dataclass
class Goal:
    row: str
    tracer: str
    figure: str     # a key of FIGURES
    limit: float
    least: bool = False     # the figure has to be at least so much


# What each round says, of which the median is the figure.
FIGURES = {
    "time, ×": lambda r: r.ratios(),
    "cpu, ×": lambda r: r.ratios("cpu"),
    "throughput, ×": lambda r: [1 / ratio for ratio in r.ratios()],
    "added cpu, ns": lambda r: r.differences("cpu"),
    "added, µs": lambda r: r.differences("wall"),
    "added, µs/s": lambda r: r.differences("cpu"),
    "added, KiB": lambda r: [added / 1024 for added in r.differences("wall")],
    "bytes an event": lambda r: [] if r.per_event() is None else [r.per_event()],
}


def pair(row, without, with_stacks):
    return [Goal(row, "gtrace-nostacks", "added cpu, ns", without),
            Goal(row, "gtrace", "added cpu, ns", with_stacks)]


GOALS = [
    Goal("mutex_uncontended_t1", "gtrace", "time, ×", 1.10),
    Goal("mutex_uncontended_t2", "gtrace", "time, ×", 1.10),
    Goal("mutex_handoff", "gtrace-nostacks", "added cpu, ns", 60),
    Goal("deep20_fp", "gtrace", "added cpu, ns", 120),
    Goal("mutex_contended_t2", "gtrace", "time, ×", 2),
    Goal("mutex_contended_t4", "gtrace", "time, ×", 2),
    Goal("rwlock_uncontended", "gtrace", "time, ×", 1.1),
    Goal("rwlock_write", "gtrace", "time, ×", 1.1),
    Goal("rwlock_mixed", "gtrace", "time, ×", 1.1),
    *pair("cond_pingpong_pin", 200, 415),
    *pair("sem_pingpong_pin", 120, 400),
    *pair("pipe_pingpong_pin", 200, 500),
    *pair("read_syscall", 45, 93),
    Goal("thread_churn_pin", "gtrace", "added cpu, ns", 700),
    Goal("malloc_free", "gtrace", "time, ×", 1.02),
    Goal("event", "gtrace", "added cpu, ns", 20),
    Goal("event_stack20_fp", "gtrace", "added cpu, ns", 60),
    Goal("event_stack20_nofp", "gtrace", "added cpu, ns", 150),
    Goal("cond_pingpong_pin", "gtrace", "bytes an event", 5.7),
    Goal("read_syscall", "gtrace", "bytes an event", 4),
    Goal("startup", "gtrace", "added, µs", 2000),
    Goal("memory_per_thread", "gtrace", "added, KiB", 160),
    Goal("idle_10000", "gtrace", "added, µs/s", 50_000),     # a generation a second
    *[goal for app in ("memcached", "redis") for goal in (
        Goal(f"app_{app}", "gtrace", "throughput, ×", 0.97, True),
        Goal(f"app_{app}", "gtrace", "cpu, ×", 1.06))],
    *[Goal(f"app_{app}", "gtrace", "throughput, ×", 0.98, True)
      for app in ("nginx", "postgres", "pigz", "zstd")],
]


# Not measured in rounds.
EXACT = {"bytes an event"}

# What of the floor says something: what it writes and keeps is not a tracer's.
OF_THE_FLOOR = {"time, ×", "cpu, ×", "throughput, ×", "added cpu, ns"}


@dataclasses.dataclass
class Judged:
    goal: Goal
    figure: float
    within: tuple | None    # where the figure lies with 95 %; None: too few rounds
    floor: float | None     # the same figure of the floor, in the same run

    def holds(self, figure):
        return figure >= self.goal.limit if self.goal.least else figure <= self.goal.limit

    def told(self):
        """Whether these rounds tell on which side of the goal it is."""
        if self.goal.figure in EXACT:
            return True
        return bool(self.within) and self.holds(self.within[0]) == self.holds(self.within[1])

    def verdict(self):
        """held, or missed, or missed by the floor as well: not to be had on that machine then. Not
        told: the goal lies within what the figure may be."""
        if self.holds(self.figure):
            word = "held"
        elif self.floor is None or self.holds(self.floor):
            word = "missed"
        else:
            word = "missed, as by the floor"
        return word if self.told() else f"{word}; not told"


def judge(runs):
    """Those that were measured; the first run counts."""
    measured = {}
    for run in runs:
        for r in run.results:
            if r.traced and not r.failed:
                measured.setdefault((r.row.name, r.tracer.name), r)
    judged = []
    for goal in GOALS:
        result = measured.get((goal.row, goal.tracer))
        values = FIGURES[goal.figure](result) if result else []
        floor = measured.get((goal.row, "floor")) if goal.figure in OF_THE_FLOOR else None
        if values:
            judged.append(Judged(
                goal, median(values), interval(values),
                median(FIGURES[goal.figure](floor)) if floor else None))
    return judged
