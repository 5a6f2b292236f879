"""The results as text and Markdown."""
import statistics

import goals
from results import verdicts


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


def headings(run):
    return [c.format(base=run.facts["base"], traced=run.facts["traced"]) for c in COLUMNS]


def notes(result):
    found = [f"FAILED after {len(result.traced)} rounds, {result.failed}"] if result.failed else []
    return found + [f"said: {text}" for text in sorted(result.said)]


def by_row(results):
    groups = {}
    for result in results:
        groups.setdefault(result.row.name, []).append(result)
    return groups


def in_words(found, peer, mark=""):
    """Of verdicts on a peer; mark: around one that is in its favour."""
    return "; ".join(f"{v.rival} is ahead by {number(v.by)}" if v.ahead > 0 else
                     f"{mark}{peer} is ahead of {v.rival} by {number(-v.by)}{mark}"
                     if v.ahead < 0 else f"not told apart from {v.rival}" for v in found)


def measured(goal, figure):
    return f"{figure:.3f}" if "×" in goal.figure else number(figure)


def within(judged):
    return " to ".join(measured(judged.goal, x) for x in judged.within) if judged.within else "–"


def limit(goal):
    return f"{'≥' if goal.least else '≤'} {goal.limit:g}"


# --- Text: one line a result, as soon as it is there ----------------------------------------------

WIDTHS = (20, 15, 22, 22, 18, 7, 18, 9, 9, 7, 12)


def line(words):
    return " ".join(word.ljust(w) if i < 2 else word.rjust(w)
                    for i, (word, w) in enumerate(zip(words, WIDTHS))).rstrip()


def text_head(run):
    return "\n".join([*(f"{name}: {value}" for name, value in run.facts["machine"].items()), "",
                      line(("row", *headings(run)))])


def text_line(result):
    shown = [line((result.row.name, *cells(result)))] if result.traced else []
    return "\n".join(shown + [f"{result.row.name} {result.tracer.name}: {note}"
                              for note in notes(result)])


def text_tail(runs):
    """Goals, who is ahead, what is missing."""
    out = [""]
    for j in goals.judge(runs):
        floor = f", floor {measured(j.goal, j.floor)}" if j.floor is not None else ""
        out.append(f"goal {j.goal.row:22} {j.goal.tracer:16} {j.goal.figure}: "
                   f"{measured(j.goal, j.figure)} ({within(j)}; {limit(j.goal)}{floor}) "
                   f"{j.verdict()}")
    for run in runs:
        out += [f"{r.row.name:22} {r.tracer.name:15} {in_words(verdicts(run, r), r.tracer.name)}"
                for r in run.results if r.tracer.peer and r.traced and not r.failed]
        out += [f"not run: {name}: {why}" for name, why in run.absent]
    return "\n".join(out)


# --- Markdown -------------------------------------------------------------------------------------

BEGIN = "<!-- made by scripts/bench --markdown; what stands up to the end mark is replaced -->"
END = "<!-- end of what scripts/bench made -->"


def table(heads, rows):
    return ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads),
            *("| " + " | ".join(row) + " |" for row in rows)]


def goals_table(runs):
    judged = goals.judge(runs)
    if not judged:
        return []
    return ["", "## Goals", "",
            "The figure is the median over all rounds (of bytes: of one trace), and lies within *95 %* "
            "with that certainty; *not told* where the goal does as well.", "", *table(
        ("row", "tracer", "figure", "goal", "floor", "measured", "95 %", ""),
        [(j.goal.row, j.goal.tracer, j.goal.figure, limit(j.goal),
          "–" if j.floor is None else measured(j.goal, j.floor), measured(j.goal, j.figure),
          within(j), j.verdict() if j.holds(j.figure) else f"**{j.verdict()}**") for j in judged])]


def peers_table(runs):
    shown = []
    for run in runs:
        for r in run.results:
            if r.tracer.peer and r.failed:
                shown.append((r.row.name, r.tracer.name, "–", "–",
                              f"no figure: {r.failed.splitlines()[0].strip(' :')}"))
            elif r.tracer.peer:
                shown.append((r.row.name, r.tracer.name, ratio(statistics.median(r.ratios())),
                              number(r.added("cpu")),
                              in_words(verdicts(run, r), r.tracer.name, "**")))
    if not shown:
        return []
    return ["", "## Peers", "",
            "By the processor time of the program for an op, in the same rounds as gtrace: ahead "
            "is who needed less in at least four rounds of five, if the wall clock does not say "
            "the opposite; by so much in the median, in the unit of the row. What a peer does in "
            "a process of its own (strace, perf's and LTTng's writers) is not counted, what "
            "gtrace's writer does is. A peer is set beside gtrace as users run it, and, where it "
            "is not behind that and takes no stacks, beside gtrace without stacks.", "",
            *table(("row", "peer", "time, ×", "adds cpu", "who is ahead"), shown)]


def figures(run):
    out = ["", f"## `{run.facts['command']}`", "",
           *(f"- {name}: {value}" for name, value in run.facts["machine"].items())]
    for group in by_row(run.results).values():
        row = group[0].row
        out += ["", f"### {row.name}", "", f"{row.doc[0].upper()}{row.doc[1:]}; {row.unit}.", "",
                *table(headings(run), [cells(r) for r in group if r.traced])]
        found = [f"{r.tracer.name}: {note}" for r in group for note in notes(r)]
        out += ["", *(f"- {text}" for text in found)] if found else []
    return out + ([""] if run.absent else []) + \
        [f"- not run: {name}: {why}" for name, why in run.absent]


def markdown(runs):
    tracers = {r.tracer.name: r.tracer for run in runs for r in run.results}
    out = [BEGIN, "", *(f"- **{t.name}**: {t.doc}" for t in tracers.values()),
           *goals_table(runs), *peers_table(runs)]
    for run in runs:
        out += figures(run)
    return "\n".join([*out, "", END]) + "\n"


def into(old, made):
    """A document with the part that was made before replaced; its prose stays."""
    if BEGIN not in old or END not in old:
        return "# Benchmarks\n\n" + made
    head, _, rest = old.partition(BEGIN)
    return head + made + rest.partition(END)[2].removeprefix("\n")
