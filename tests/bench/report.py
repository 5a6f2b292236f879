"""The results as text, Markdown, JSON and SVG. Nothing is computed here but medians."""
import dataclasses
import html
import json
import math
import statistics

import goals


@dataclasses.dataclass
class Result:
    """One row under one tracer: a base and a traced figure a pair, or why there is none."""
    row: object
    tracer: object
    base: list = dataclasses.field(default_factory=list)    # Samples
    traced: list = dataclasses.field(default_factory=list)
    sizes: list = dataclasses.field(default_factory=list)   # bytes of file per op
    counts: tuple = None    # bytes, Go's events, gtrace's facts of one of its traces
    failed: str = ""
    said: set = dataclasses.field(default_factory=set)      # the tracer's own messages

    def pairs(self, field):
        return [(getattr(a, field), getattr(b, field)) for a, b in zip(self.base, self.traced)]

    def ratios(self, field="wall"):
        return [b / a for a, b in self.pairs(field) if a and b is not None]

    def added(self, field):
        """Median of what a pair differs by; None for a figure that the row does not have."""
        differences = [b - a for a, b in self.pairs(field) if a is not None and b is not None]
        return statistics.median(differences) if differences else None

    def per_event(self, facts=False):
        """Bytes of file an event, or an event or fact; None where there are none to speak of."""
        if not self.counts or self.counts[1] < EVENTS_LEAST:
            return None
        size, events, notes = self.counts
        return size / (events + notes if facts else events)


EVENTS_LEAST = 1000     # fewer, and the file is its tables


def slower_by(rival, peer, field):
    """By how much a peer was slower, a round: its median; +1, -1 or 0: four rounds of five agree."""
    differences = [getattr(b, field) - getattr(a, field)
                   for a, b in zip(rival.traced, peer.traced) if getattr(a, field) is not None]
    if not differences:
        return None, 0
    share = sum(d > 0 for d in differences) / len(differences)
    return statistics.median(differences), (share >= 0.8) - (share <= 0.2)


def verdict(result, own):
    """Who is ahead, a peer or gtrace, in the same rounds."""
    rivals = [r for r in own if r.traced and not r.failed and r.row is result.row]
    if result.failed:
        return ""
    words = []
    for rival in rivals:
        by, cpu = slower_by(rival, result, "cpu")
        by_wall, wall = slower_by(rival, result, "wall")
        by, ahead = (by_wall, wall) if by is None else (by, 0 if cpu * wall < 0 else cpu)
        words.append(f"{rival.tracer.name} is ahead by {number(by)}" if ahead > 0 else
                     f"**{result.tracer.name} is ahead of {rival.tracer.name} by {number(-by)}**"
                     if ahead < 0 else f"not told apart from {rival.tracer.name}")
        if ahead > 0:
            break   # also of gtrace that does less
    return "; ".join(words)


def verdicts(results):
    """By id of a peer's result. What takes no stacks is also held against gtrace without them."""
    own = [r for r in results if r.tracer.build]
    own.sort(key=lambda r: not r.tracer.stacks)
    return {id(r): verdict(r, [o for o in own if o.tracer.stacks or not r.tracer.stacks])
            for r in results if r.tracer.peer}


# --- Numbers --------------------------------------------------------------------------------------

def number(x):
    """Three digits that mean something."""
    if x is None:
        return "–"
    if abs(x) >= 100:
        return f"{x:.0f}"
    return f"{x:.1f}" if abs(x) >= 10 else f"{x:.2f}"


def spread(values, form=number):
    if not values:
        return "–"
    return f"{form(statistics.median(values))} ({form(min(values))}–{form(max(values))})"


def ratio(x):
    return f"{x:.2f}" if x < 100 else f"{x:.0f}"


def size(result):
    return number(statistics.median(result.sizes)) if result.sizes else "–"


COLUMNS = ("tracer", "{base}", "{traced}", "ratio", "added", "cpu ratio", "added cpu",
           "file B/op", "B/event", "B/event+fact")


def cells(result):
    return (result.tracer.name,
            spread([s.wall for s in result.base]), spread([s.wall for s in result.traced]),
            spread(result.ratios(), ratio), number(result.added("wall")),
            spread(result.ratios("cpu"), ratio), number(result.added("cpu")), size(result),
            number(result.per_event()), number(result.per_event(facts=True)))


def headings(facts):
    return [c.format(base=facts["base"], traced=facts["traced"]) for c in COLUMNS]


def notes(result):
    found = [f"FAILED after {len(result.traced)} rounds, {result.failed}"] if result.failed else []
    return found + [f"said: {text}" for text in sorted(result.said)]


def by_row(results):
    groups = {}
    for result in results:
        groups.setdefault(result.row.name, []).append(result)
    return groups


# --- Text: one line a result, as soon as it is there ----------------------------------------------

WIDTHS = (20, 15, 22, 22, 18, 7, 18, 9, 9, 7, 12)


def line(words):
    return " ".join(word.ljust(w) if i < 2 else word.rjust(w)
                    for i, (word, w) in enumerate(zip(words, WIDTHS))).rstrip()


def text_head(facts):
    return "\n".join([*(f"{name}: {value}" for name, value in facts["machine"].items()), "",
                      line(("row", *headings(facts)))])


def text_line(result):
    shown = [line((result.row.name, *cells(result)))] if result.traced else []
    return "\n".join(shown + [f"{result.row.name} {result.tracer.name}: {note}"
                              for note in notes(result)])


def text_tail(results):
    """Goals, and who is ahead."""
    out = [""] if results else []
    for goal, figure, held in goals.judge(results):
        out.append(f"goal {'held' if held else 'MISSED':6} {goal.row:22} {goal.tracer:16} "
                   f"{goal.figure}: {number(figure)} ({'≥' if goal.least else '≤'} {goal.limit:g})")
    judged = verdicts(results)
    out += [f"{r.row.name:22} {r.tracer.name:15} {judged[id(r)].replace('**', '')}"
            for r in results if judged.get(id(r))]
    return "\n".join(out)


# --- Markdown -------------------------------------------------------------------------------------

BEGIN = "<!-- made by scripts/bench --markdown; what stands up to the end mark is replaced -->"
END = "<!-- end of what scripts/bench made -->"


def table(heads, rows):
    return ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads),
            *("| " + " | ".join(row) + " |" for row in rows)]


def goals_table(results):
    judged = goals.judge(results)
    if not judged:
        return []
    return ["", "## Goals", "", *table(
        ("row", "tracer", "figure", "goal", "measured", ""),
        [(g.row, g.tracer, g.figure, f"{'≥' if g.least else '≤'} {g.limit:g}", number(x),
          "held" if held else "**missed**") for g, x, held in judged])]


def peers_table(results):
    judged = verdicts(results)
    shown = [(r.row.name, r.tracer.name, ratio(statistics.median(r.ratios())),
              number(r.added("cpu")), text)
             for r in results if (text := judged.get(id(r)))]
    failed = [(r.row.name, r.tracer.name, "–", "–", f"no figure: {r.failed.splitlines()[0]}")
              for r in results if r.tracer.peer and r.failed]
    if not shown + failed:
        return []
    return ["", "## Peers", "",
            "By the processor time of the program for an op, in the same rounds as gtrace: ahead "
            "is who needed less in at least four rounds of five, if the wall clock does not say "
            "the opposite; by so much in the median, in the unit of the row. What a peer does in "
            "a process of its own (strace, perf's and LTTng's writers) is not counted, what "
            "gtrace's writer does is. A peer is set beside gtrace as users run it, and, where it "
            "is not behind that and takes no stacks, beside gtrace without stacks.", "",
            *table(("row", "peer", "time, ×", "adds cpu", "who is ahead"), shown + failed)]


def markdown(facts, results, absent):
    out = [BEGIN, "", f"Measured by `{facts['command']}`.", ""]
    out += [f"- {name}: {value}" for name, value in facts["machine"].items()]
    tracers = {r.tracer.name: r.tracer for r in results}
    out += ["", *(f"- **{t.name}**: {t.doc}" for t in tracers.values())]
    out += goals_table(results) + peers_table(results)
    for group in by_row(results).values():
        row = group[0].row
        out += ["", f"## {row.name}", "", f"{row.doc[0].upper()}{row.doc[1:]}; {row.unit}.", "",
                *table(headings(facts), [cells(r) for r in group if r.traced])]
        found = [f"{r.tracer.name}: {note}" for r in group for note in notes(r)]
        out += ["", *(f"- {text}" for text in found)] if found else []
    if absent:
        out += ["", "## Not run", "", *(f"- {name}: {why}" for name, why in absent)]
    return "\n".join([*out, "", END]) + "\n"


def into(old, made):
    """A document with the part that was made before replaced; its prose stays."""
    if BEGIN not in old or END not in old:
        return "# Benchmarks\n\n" + made
    head, _, rest = old.partition(BEGIN)
    return head + made + rest.partition(END)[2].removeprefix("\n")


# --- JSON -----------------------------------------------------------------------------------------

def as_json(facts, results, absent):
    judged = verdicts(results)
    return json.dumps({
        **facts,
        "results": [{
            "row": r.row.name, "unit": r.row.unit, "tracer": r.tracer.name,
            "base": [dataclasses.asdict(s) for s in r.base],
            "traced": [dataclasses.asdict(s) for s in r.traced],
            "ratio": statistics.median(r.ratios()) if r.traced else None,
            "cpu_ratio": statistics.median(r.ratios("cpu")) if r.ratios("cpu") else None,
            "added": r.added("wall"), "added_cpu": r.added("cpu"),
            "bytes_per_op": statistics.median(r.sizes) if r.sizes else None,
            "bytes_per_event": r.per_event(), "bytes_per_event_or_fact": r.per_event(facts=True),
            "against_gtrace": judged.get(id(r), ""),
            "failed": r.failed, "said": sorted(r.said),
        } for r in results],
        "goals": [{**dataclasses.asdict(goal), "measured": figure, "held": held}
                  for goal, figure, held in goals.judge(results)],
        "not_run": [{"name": name, "why": why} for name, why in absent],
    }, indent=1) + "\n"


# --- SVG: one bar a result, its length the logarithm of the ratio ---------------------------------

COLOURS = ("#9aa5b1", "#627d98", "#d64545", "#e88b3c", "#b99b3e", "#3e8e7e", "#4c6ef5", "#845ef7",
           "#c2459d", "#495057")


def svg(facts, results):
    """Bars of the median ratio with a whisker from the least to the greatest."""
    results = [r for r in results if r.traced and r.row.kind != "memory"]
    names = list(dict.fromkeys(r.tracer.name for r in results))
    colour = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
    least = min([0.9, *(min(r.ratios()) for r in results)])
    most = max([1.25, *(max(r.ratios()) for r in results)])
    left, width, bar, top = 180, 620, 11, 48

    def x(value):
        return left + width * math.log(value / least) / math.log(most / least)

    marks, y = [], top
    for group in by_row(results).values():
        middle = y + bar * len(group) / 2 + 4
        marks.append(f'<text x="{left - 8}" y="{middle:.1f}" text-anchor="end">'
                     f'{html.escape(group[0].row.name)}</text>')
        for r in group:
            values = r.ratios()
            at = statistics.median(values)
            a, b = sorted((x(1), x(at)))
            centre = y + bar / 2
            marks.append(
                f'<rect x="{a:.1f}" y="{y + 1}" width="{max(b - a, 1):.1f}" height="{bar - 2}" '
                f'fill="{colour[r.tracer.name]}"><title>{html.escape(r.row.name)}, '
                f'{r.tracer.name}: {spread(values, ratio)}</title></rect>'
                f'<path d="M{x(min(values)):.1f} {centre}H{x(max(values)):.1f}" stroke="#222"/>'
                f'<text x="{x(max(values)) + 4:.1f}" y="{y + bar - 2}" font-size="9">'
                f'{ratio(at)}×</text>')
            y += bar
        y += 8
    ticks = [t for t in (0.5, 0.7, 1, 1.2, 1.5, 2, 3, 5, 10, 20, 50, 100, 1000)
             if least <= t <= most]
    grid = [f'<path d="M{x(t):.1f} {top - 4}V{y}" stroke="{"#222" if t == 1 else "#ddd"}"/>'
            f'<text x="{x(t):.1f}" y="{top - 8}" text-anchor="middle" fill="#555">{t:g}×</text>'
            for t in ticks]
    legend = [f'<rect x="{left + 130 * i}" y="6" width="10" height="10" fill="{colour[n]}"/>'
              f'<text x="{left + 14 + 130 * i}" y="15">{n}</text>' for i, n in enumerate(names)]
    legend.append(f'<text x="8" y="15">time, {facts["traced"]} / {facts["base"]}</text>')
    wide = max(left + width + 60, left + 130 * len(names))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {y + 8}" '
            f'font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" '
            f'fill="white"/>\n' + "\n".join(grid + marks + legend) + "\n</svg>\n")
