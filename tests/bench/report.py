"""The results as text, Markdown, JSON and SVG. Nothing is computed here but medians."""
import dataclasses
import html
import json
import math
import statistics


@dataclasses.dataclass
class Result:
    """One row under one tracer: a base and a traced figure a pair, or why there is none."""
    row: object
    tracer: object
    base: list = dataclasses.field(default_factory=list)    # Samples
    traced: list = dataclasses.field(default_factory=list)
    sizes: list = dataclasses.field(default_factory=list)   # bytes of file per op
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
           "file B/op")


def cells(result):
    return (result.tracer.name,
            spread([s.wall for s in result.base]), spread([s.wall for s in result.traced]),
            spread(result.ratios(), ratio), number(result.added("wall")),
            spread(result.ratios("cpu"), ratio), number(result.added("cpu")), size(result))


def headings(facts):
    return [c.format(base=facts["base"], traced=facts["traced"]) for c in COLUMNS]


def notes(result):
    found = [f"FAILED after {len(result.traced)} pairs, {result.failed}"] if result.failed else []
    return found + [f"said: {text}" for text in sorted(result.said)]


def by_row(results):
    groups = {}
    for result in results:
        groups.setdefault(result.row.name, []).append(result)
    return groups


# --- Text: one line a result, as soon as it is there ----------------------------------------------

WIDTHS = (20, 15, 22, 22, 18, 7, 18, 9, 9)


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


# --- Markdown -------------------------------------------------------------------------------------

def markdown(facts, results, absent):
    out = ["# Benchmarks", "",
           "Each figure is the median (min–max) over interleaved pairs of fresh processes; *added* "
           "is the median difference within a pair.", ""]
    out += [f"- {name}: {value}" for name, value in facts["machine"].items()]
    tracers = {r.tracer.name: r.tracer for r in results}
    out += ["", *(f"- **{t.name}**: {t.doc}" for t in tracers.values())]
    for group in by_row(results).values():
        row = group[0].row
        out += ["", f"## {row.name}", "", f"{row.doc[0].upper()}{row.doc[1:]}; {row.unit}.", "",
                "| " + " | ".join(headings(facts)) + " |", "|" + "---|" * len(COLUMNS)]
        out += ["| " + " | ".join(cells(r)) + " |" for r in group if r.traced]
        found = [f"{r.tracer.name}: {note}" for r in group for note in notes(r)]
        out += ["", *(f"- {text}" for text in found)] if found else []
    if absent:
        out += ["", "## Not run", "", *(f"- {name}: {why}" for name, why in absent)]
    return "\n".join(out) + "\n"


# --- JSON -----------------------------------------------------------------------------------------

def as_json(facts, results, absent):
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
            "failed": r.failed, "said": sorted(r.said),
        } for r in results],
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
