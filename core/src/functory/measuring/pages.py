"""A report as HTML that needs nothing else: no script, no font, no picture. For notebooks and for files."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Sequence

from functory.measuring.confused import Confused
from functory.measuring.mistakes import LONGEST, Mistake
from functory.measuring.mistakes import rows as mistake_rows
from functory.measuring.pictures import coverage_plot, curve_plot, metrics_plot, reliability_plot, slices_plot
from functory.measuring.report import Confusion, Report
from functory.measuring.tables import (
    class_rows,
    curve_line,
    curve_rows,
    metric_rows,
    mistakes_line,
    slice_rows,
    suspect_rows,
    telling,
    trial_rows,
)  # fmt: skip
from functory.wording.harmless import harmless_html as escape
from functory.wording.harmless import harmless_json

# Colours with transparency, so that a notebook's dark theme shows through.
STYLE = """
.functory-report { --main: #1f6fc4; --other: #b8481f; --faint: #8886; line-height: 1.45; }
@media (prefers-color-scheme: dark) { .functory-report { --main: #6db1ff; --other: #ff9d6e; } }
.functory-report h2 { font-size: 1.15em; margin: 1.8em 0 0.5em; border-bottom: 1px solid var(--faint); }
.functory-report .wide { overflow-x: auto; }
.functory-report table { border-collapse: collapse; margin: 0.6em 0; font-variant-numeric: tabular-nums; }
.functory-report th, .functory-report td { padding: 0.2em 0.7em; text-align: right; }
.functory-report th:first-child, .functory-report td:first-child { text-align: left; padding-left: 0; }
.functory-report .figures td { white-space: nowrap; }
.functory-report .words th, .functory-report .words td { text-align: left; vertical-align: top; }
.functory-report .words td:last-child { min-width: 15em; overflow-wrap: anywhere; }
.functory-report .many th:not(:first-child), .functory-report .many td:not(:first-child) { padding: 0.2em 0.35em; }
.functory-report .many thead th:not(:first-child) { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; }
.functory-report thead th { border-bottom: 1px solid var(--faint); vertical-align: bottom; }
.functory-report .quiet { opacity: 0.7; font-size: 90%; }
.functory-report .notes { border-left: 3px solid var(--other); padding: 0.3em 0 0.3em 1.6em; }
.functory-report .plots { display: flex; flex-wrap: wrap; gap: 0.5em 2em; }
.functory-report figure { margin: 0.4em 0; flex: 0 1 25em; min-width: min(100%, 18em); max-width: 28em; }
.functory-report figcaption { font-size: 90%; }
.functory-report svg { display: block; width: 100%; height: auto; }
.functory-report svg text { fill: currentColor; font-size: 11px; }
.functory-report svg .tick { opacity: 0.7; font-size: 10px; }
.functory-report svg .grid { stroke: var(--faint); stroke-width: 0.7; }
.functory-report svg .span { stroke: var(--main); stroke-width: 2; }
.functory-report svg line.other { stroke: var(--other); stroke-width: 2; }
.functory-report svg polyline { fill: none; stroke-width: 2; stroke: var(--main); }
.functory-report svg polyline.other { stroke: var(--other); }
.functory-report svg polyline.quiet { stroke: currentColor; opacity: 0.5; stroke-width: 1; }
.functory-report svg polyline.dashed { stroke-dasharray: 4 4; }
.functory-report svg circle { fill: var(--main); }
.functory-report svg circle.other { fill: none; stroke: var(--other); stroke-width: 1.5; }
.functory-report dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15em 1em; }
.functory-report dt { opacity: 0.7; }
.functory-report dd { margin: 0; overflow-wrap: anywhere; }
.functory-report details { margin: 0.3em 0; }
.functory-report summary { cursor: pointer; }
@media (max-width: 36em) {
  .functory-report th, .functory-report td { padding: 0.2em 0.4em; }
  .functory-report ul { padding-left: 1.2em; }
  .functory-report .words thead { display: none; }
  .functory-report .words tr { display: block; padding: 0.5em 0; border-bottom: 1px solid var(--faint); }
  .functory-report .words td { display: inline; padding: 0 0.6em 0 0; }
  .functory-report .words td[data-name]::before { content: attr(data-name) " "; opacity: 0.7; }
  .functory-report .words td:last-child { display: block; padding: 0.2em 0 0; }
}
""".strip()
PAGE = """
:root { color-scheme: light dark; }
body { font-family: system-ui, sans-serif; margin: 0 auto; padding: 1em max(1em, 3vw) 3em; max-width: 64em; }
@media (max-width: 30em) { body { font-size: 94%; } }
""".strip()


MOST_CLASSES = 30
"""Classes of a confusion matrix; of more, those that were confused most often are shown."""
UPRIGHT = 8
"""Classes of a matrix whose names stand upright in its head; those of more are turned, so that the page stays narrow."""
MOST_ROWS = 300
"""Classes in a table; of more, those with the most errors are shown."""
OPENED = 3
"""Confusions whose examples are unfolded when the page opens."""


def is_bounded(confusion: Confusion) -> bool:
    """Return whether a page shows a part of the classes only."""
    return len(confusion.labels) > MOST_CLASSES


def page(report: Report, beside: str = "") -> str:
    """Return a whole page, which holds the same numbers as JSON too.

    :param beside: the name of the file that holds all confusions, where the page shows a part.
    """
    data = base64.b64encode(harmless_json(report.model_dump_json()).encode()).decode()
    link = f'<a download="report.json" href="data:application/json;base64,{data}">The same numbers as JSON</a>'
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.headline())}</title>\n<style>{PAGE}</style></head>\n"
        f"<body>{fragment(report, beside)}\n<p>{link}</p></body></html>\n"
    )


def fragment(report: Report, beside: str = "") -> str:
    """Return what a notebook shows.

    :param beside: as for `page`.
    """
    parts = [f"<p><b>{escape(report.headline())}</b></p>", *_listed(report.notes, "notes")]
    sections = {
        "How good it is": _figures(report),
        "Can its scores be relied on?": _trust(report),
        "Where it is good, and where not": _slices(report),
        "Would more data help?": _curve(report),
        "Classes": _classes(report, beside),
        "What it takes for what": _confused(report),
        "Labels that look wrong": _suspects(report),
        "Mistakes": _mistakes(report),
        "What it was built from": _built(report),
    }
    for name, found in sections.items():
        parts += [f"<section><h2>{name}</h2>", *found, "</section>"] if found else []
    return f'<div class="functory-report"><style>{STYLE}</style>\n' + "\n".join(parts) + "\n</div>"


def _figures(report: Report) -> list[str]:
    if not report.metrics:
        return []
    picture = metrics_plot(report)
    figure = _figure(picture, _marks_told(report)) if picture else ""
    foot = f'<p class="quiet">{escape(report.footnote())}</p>'
    return [f'<div class="plots">{figure}</div>', _table(*metric_rows(report)), foot]


def _marks_told(report: Report) -> str:
    """Say what stands in the picture of the metrics."""
    marks = [name for name, has in (("baseline", "baseline"), ("floor", "floor"))
             if any(getattr(metric, has) is not None for metric in report.metrics.values())]  # fmt: skip
    return f"The dot is the value, the line its interval; the strokes are {' and '.join(marks)}." if marks else "With intervals."


def _trust(report: Report) -> list[str]:
    pictures = []
    if report.calibration:
        pictures.append(_figure(reliability_plot(report.calibration), report.calibration.line()))
    if report.coverage:
        pictures.append(_figure(coverage_plot(report.coverage), report.coverage.line()))
    promises = [f"<p>{escape(promise.line())}</p>" for promise in report.promises]
    return [f'<div class="plots">{"".join(pictures)}</div>', *promises] if pictures or promises else []


def _slices(report: Report) -> list[str]:
    found = [_figure(slices_plot(report, by), f"{report.metric or 'the metric'} by {by}") for by in ("length", "language")
             if any(one.by == by for one in report.slices)]  # fmt: skip
    return [f'<div class="plots">{"".join(found)}</div>', _table(*slice_rows(report))] if found else []


def _curve(report: Report) -> list[str]:
    if len(report.curve) < 2:
        return []
    figure = _figure(curve_plot(report), curve_line(report))
    return [f'<div class="plots">{figure}</div>', _table(*curve_rows(report))]


def _classes(report: Report, beside: str) -> list[str]:
    parts: list[str] = []
    if report.per_class:
        rows, more = telling(report.per_class, MOST_ROWS)
        parts.append(_table(*class_rows(rows)))
        parts += [f"<p>{escape(more)}</p>"] if more else []
    if report.confusion:
        parts.append(heat_map(report.confusion))
        parts += [f"<p>{escape(_bounded(report.confusion, beside))}</p>"] if is_bounded(report.confusion) else []
    return parts


def _confused(report: Report) -> list[str]:
    return [_confusion(one, is_open=place < OPENED) for place, one in enumerate(report.confused) if one.examples]


def _confusion(one: Confused, *, is_open: bool) -> str:
    """Return one confusion with its examples, which unfold."""
    told = f"<b>{escape(one.true)}</b> taken for <b>{escape(one.given)}</b>: {one.count:,} times"
    texts = "".join(
        f'<li>{escape(example.text)} <span class="quiet">{escape(_sure(example))}</span></li>' for example in one.examples
    )
    return f"<details{' open' if is_open else ''}><summary>{told}</summary><ul>{texts}</ul></details>"


def _sure(example: Mistake) -> str:
    return example.place if example.confidence is None else f"{example.place}, {example.confidence:.0%} sure"


def _suspects(report: Report) -> list[str]:
    if not report.suspects:
        return []
    line = "A function that did not learn from these rows is as sure of another label as it is in the mean of rows that have it."
    return [f"<p>{line}</p>", _table(*suspect_rows(report.suspects, report.source, LONGEST), kind="words")]


def _mistakes(report: Report) -> list[str]:
    if not report.mistakes:
        return []
    line = escape(mistakes_line(report, len(report.mistakes)))
    return [f"<p>{line}</p>", _table(*mistake_rows(report.mistakes, report.source, LONGEST), kind="words")]


def _built(report: Report) -> list[str]:
    parts = []
    if report.built:
        facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(told)}</dd>" for name, told in report.built.items())
        parts.append(f"<dl>{facts}</dl>")
    if report.tried:
        parts += ["<p>Adaptations that were tried on rows that their fit had not seen:</p>", _table(*trial_rows(report.tried))]
    if remarks := [one for one in report.remarks if one not in report.notes]:
        parts += ["<p>What the build noted:</p>", *_listed(remarks, "remarks")]
    return parts


def _listed(notes: Sequence[str], kind: str) -> list[str]:
    return [f'<ul class="{kind}">' + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>"] if notes else []


def _figure(picture: str, told: str) -> str:
    return f"<figure>{picture}<figcaption>{escape(told)}</figcaption></figure>"


def heat_map(confusion: Confusion) -> str:
    """Return the confusion matrix, of many classes those most confused; a cell is the darker, the larger its share of its
    row.
    """
    shown = confusion.most_confused(MOST_CLASSES) if is_bounded(confusion) else range(len(confusion.labels))
    if not shown:
        return ""
    labels, totals = [confusion.labels[label] for label in shown], _totals(confusion)
    header = "".join(f"<th>{escape(label)}</th>" for label in ("true \\ given", *labels))
    matrix = zip(shown, confusion.matrix(shown), strict=True)
    rows = [_heat_row(place, counts, labels, totals[true]) for place, (true, counts) in enumerate(matrix)]
    kind = ' class="many"' if len(shown) > UPRIGHT else ""
    return f'<div class="wide"><table{kind}><thead><tr>{header}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _totals(confusion: Confusion) -> Counter[int]:
    """Return how many examples each true class has, by its number."""
    totals: Counter[int] = Counter()
    for true, _, count in confusion.counts:
        totals[true] += count
    return totals


def _heat_row(true: int, counts: Sequence[int], labels: Sequence[str], total: int) -> str:
    """Return one row: right answers in blue, wrong ones in red, and nothing where there were none."""
    cells = []
    for given, count in enumerate(counts):
        colour = "30, 110, 200" if given == true else "210, 60, 40"
        share = count / (total or 1)
        shade = f"rgba({colour}, {share * 0.7:.3f})"
        tip = escape(f"{labels[true]} given as {labels[given]}: {count:,} ({share:.1%})")
        cells.append(f'<td title="{tip}" style="background: {shade}">{count:,}</td>' if count else f'<td title="{tip}"></td>')
    return f"<tr><td>{escape(labels[true])}</td>{''.join(cells)}</tr>"


def _bounded(confusion: Confusion, beside: str) -> str:
    """Say what a part of a confusion matrix leaves out, and where it is."""
    shown, count = len(confusion.most_confused(MOST_CLASSES)), len(confusion.labels)
    if not shown:
        return f"None of {count:,} classes was taken for another."
    where = f"in {beside}" if beside else "in report.confusion"
    return f"The {shown:,} most confused of {count:,} classes; all pairs are {where}."


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str = "figures") -> str:
    """Return a table of figures, which stand to the right, or of words, which stand to the left."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    names = [f' data-name="{escape(name)}"' if kind == "words" and name != header[-1] else "" for name in header]
    cells = ("".join(f"<td{name}>{escape(cell)}</td>" for name, cell in zip(names, row, strict=True)) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f'<div class="wide"><table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
