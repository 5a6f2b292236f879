"""What was measured, what follows from it, and the file it is kept in."""
import dataclasses
import fractions
import json
import math
import statistics

from tracers import Tracer
from workloads import Row, Sample

EVENTS_LEAST = 1000     # fewer, and a trace is its tables


@dataclasses.dataclass
class Result:
    """One row under one tracer: a base and a traced figure a round, or why there is none."""
    row: Row
    tracer: Tracer
    base: list = dataclasses.field(default_factory=list)    # Samples
    traced: list = dataclasses.field(default_factory=list)
    sizes: list = dataclasses.field(default_factory=list)   # bytes of file per op
    counts: list = None     # bytes, Go's events, gtrace's facts of one of its traces
    failed: str = ""
    said: set = dataclasses.field(default_factory=set)      # the tracer's own messages

    def pairs(self, field):
        return [(getattr(a, field), getattr(b, field)) for a, b in zip(self.base, self.traced)]

    def ratios(self, field="wall"):
        return [b / a for a, b in self.pairs(field) if a and b is not None]

    def differences(self, field):
        """What each pair differs by; nothing for a figure that the row does not have."""
        return [b - a for a, b in self.pairs(field) if a is not None and b is not None]

    def added(self, field):
        return median(self.differences(field))

    def per_event(self, facts=False):
        """Bytes of file an event, or an event or fact; None where there are none to speak of."""
        if not self.counts or self.counts[1] < EVENTS_LEAST:
            return None
        size, events, notes = self.counts
        return size / (events + notes if facts else events)


@dataclasses.dataclass
class Run:
    """All that one command measured."""
    facts: dict         # machine, base, traced, command
    results: list
    absent: list        # (name, why) of what could not be run


def median(values):
    return statistics.median(values) if values else None


def interval(values, risk=0.05):
    """Where the median of what was drawn from lies, with that risk: two of the values, which hold
    whatever the distribution is (Conover, Practical Nonparametric Statistics, 3.2). None: there
    are too few."""
    n = len(values)
    below = 0   # of 2^n ways to fall beside the median, those with fewer than k values below it
    k = 0
    most = fractions.Fraction(risk) * 2 ** n
    while k < n and (below + math.comb(n, k)) * 2 <= most:
        below += math.comb(n, k)
        k += 1
    return (sorted(values)[k - 1], sorted(values)[n - k]) if k else None


# --- Who is ahead ---------------------------------------------------------------------------------

@dataclasses.dataclass
class Verdict:
    rival: str          # which gtrace
    ahead: int          # 1: gtrace, -1: the peer, 0: they are not told apart
    by: float           # median of the difference, in the row's unit


def compare(rival, peer, field):
    """The median by which a peer was dearer; 1, -1 or 0: whether four rounds of five agree."""
    differences = [getattr(b, field) - getattr(a, field)
                   for a, b in zip(rival.traced, peer.traced) if getattr(a, field) is not None]
    if not differences:
        return None, 0
    share = sum(d > 0 for d in differences) / len(differences)
    return statistics.median(differences), (share >= 0.8) - (share <= 0.2)


def verdicts(run, peer):
    """A peer beside gtrace in the same rounds; one without stacks, also beside gtrace without,
    unless it is behind gtrace with them already."""
    rivals = [r for r in run.results if r.tracer.gtrace and r.row is peer.row and r.traced and
              not r.failed and (r.tracer.stacks or not peer.tracer.stacks)]
    found = []
    for rival in sorted(rivals, key=lambda r: not r.tracer.stacks):
        by, cpu = compare(rival, peer, "cpu")
        by_wall, wall = compare(rival, peer, "wall")
        ahead = wall if by is None else 0 if cpu * wall < 0 else cpu
        found.append(Verdict(rival.tracer.name, ahead, by_wall if by is None else by))
        if ahead > 0:
            break
    return found


# --- The file -------------------------------------------------------------------------------------

ROW = ("name", "doc", "kind", "unit")
TRACER = ("name", "doc", "stacks", "peer", "gtrace")


def as_json(run):
    """Every sample, and medians for those who do not want to work them out."""
    def some(thing, names):
        return {name: getattr(thing, name) for name in names}

    return json.dumps({**run.facts, "results": [{
        "row": some(r.row, ROW), "tracer": some(r.tracer, TRACER),
        "base": [dataclasses.asdict(s) for s in r.base],
        "traced": [dataclasses.asdict(s) for s in r.traced],
        "sizes": r.sizes, "counts": r.counts, "failed": r.failed, "said": sorted(r.said),
        "median": {"ratio": median(r.ratios()), "cpu_ratio": median(r.ratios("cpu")),
                   "added": r.added("wall"), "added_cpu": r.added("cpu"),
                   "bytes_per_op": median(r.sizes), "bytes_per_event": r.per_event(),
                   "bytes_per_event_or_fact": r.per_event(facts=True)},
    } for r in run.results], "not_run": run.absent}, indent=1) + "\n"


def load(text):
    """The Run of such a file."""
    read = json.loads(text)
    rows, tracers = {}, {}
    results = []
    for r in read.pop("results"):
        row = rows.setdefault(r["row"]["name"], Row(run=None, **r["row"]))
        tracer = tracers.setdefault(r["tracer"]["name"], Tracer(start=None, **r["tracer"]))
        results.append(Result(row, tracer, [Sample(**s) for s in r["base"]],
                              [Sample(**s) for s in r["traced"]], r["sizes"], r["counts"],
                              r["failed"], set(r["said"])))
    return Run(read, results, read.pop("not_run"))
