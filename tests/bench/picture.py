"""The results as a picture: a bar a result, its length the logarithm of the ratio."""
import html
import math
import statistics

COLOURS = {"null": "#9aa5b1", "floor": "#627d98", "gtrace": "#d64545", "gtrace-nostacks": "#e88b3c"}
OTHERS = ("#b99b3e", "#3e8e7e", "#4c6ef5", "#845ef7", "#c2459d", "#495057", "#74a12e", "#2b8a9e",
          "#a0522d")
TICKS = (0.2, 0.5, 0.7, 1, 1.2, 1.5, 2, 3, 5, 10, 20, 50, 100, 1000)
LEFT, WIDTH, BAR, GAP, LEGEND = 180, 620, 11, 8, 135


def middle_half(values):
    """From the first to the third quartile."""
    if len(values) < 4:
        return min(values), max(values)
    low, _, high = statistics.quantiles(values, n=4)
    return low, high


def chosen(runs):
    """Results by row, those of the first run that has them; a ratio to an empty loop says nothing."""
    groups = {}
    for run in runs:
        for r in run.results:
            if r.traced and not r.failed and r.row.kind in ("micro", "start", "app"):
                groups.setdefault(r.row.name, {}).setdefault(r.tracer.name, r.ratios())
    return groups


def ticks(least, most, x):
    """Those that there is room for; 1 always."""
    shown = [1]
    for t in TICKS:
        if least <= t <= most and all(abs(x(t) - x(other)) >= 28 for other in shown):
            shown.append(t)
    return sorted(shown)


def svg(runs):
    groups = chosen(runs)
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    others = iter(OTHERS * len(names))
    colour = {name: COLOURS.get(name) or next(others) for name in names}
    ranges = [middle_half(values) for group in groups.values() for values in group.values()]
    least = min([0.9, *(low for low, _ in ranges)])
    most = max([1.25, *(high for _, high in ranges)])
    per_line = (LEFT + WIDTH) // LEGEND
    top = 34 + 16 * math.ceil(len(names) / per_line)

    def x(value):
        return LEFT + WIDTH * math.log(value / least) / math.log(most / least)

    marks, y = [], top
    for row, group in groups.items():
        marks.append(f'<text x="{LEFT - 8}" y="{y + BAR * len(group) / 2 + 4:.1f}" '
                     f'text-anchor="end">{html.escape(row)}</text>')
        for name, values in group.items():
            at = statistics.median(values)
            low, high = middle_half(values)
            a, b = sorted((x(1), x(at)))
            marks.append(
                f'<rect x="{a:.1f}" y="{y + 1}" width="{max(b - a, 1):.1f}" height="{BAR - 2}" '
                f'fill="{colour[name]}"><title>{html.escape(row)}, {name}: {at:.3g} '
                f'({low:.3g}–{high:.3g})</title></rect>'
                f'<path d="M{x(low):.1f} {y + BAR / 2}H{x(high):.1f}" stroke="#222"/>'
                f'<text x="{max(x(high), x(1)) + 4:.1f}" y="{y + BAR - 2}" font-size="9">'
                f'{at:.3g}×</text>')
            y += BAR
        y += GAP
    grid = [f'<path d="M{x(t):.1f} {top - 4}V{y}" stroke="{"#222" if t == 1 else "#ddd"}"/>'
            f'<text x="{x(t):.1f}" y="{top - 8}" text-anchor="middle" fill="#555">{t:g}×</text>'
            for t in ticks(least, most, x)]
    legend = ['<text x="8" y="15">time of an op, × without</text>']
    for i, name in enumerate(names):
        at, line = LEFT + LEGEND * (i % per_line), 6 + 16 * (i // per_line)
        legend.append(f'<rect x="{at}" y="{line}" width="10" height="10" fill="{colour[name]}"/>'
                      f'<text x="{at + 14}" y="{line + 9}">{html.escape(name)}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 60} {y + 8}" '
            f'font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" '
            f'fill="white"/>\n' + "\n".join(grid + marks + legend) + "\n</svg>\n")
