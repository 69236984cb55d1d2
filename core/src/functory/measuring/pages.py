"""A report as HTML that needs nothing else: no script, no font, no picture. For notebooks and for files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from functory.measuring.mistakes import LONGEST
from functory.measuring.mistakes import rows as mistake_rows
from functory.measuring.report import Confusion, Report
from functory.measuring.tables import class_rows, metric_rows, mistakes_line, telling, trial_rows
from functory.wording.harmless import harmless_html as escape

# Colours with transparency, so that a notebook's dark theme shows through.
STYLE = """
.functory-report { overflow-x: auto; }
.functory-report table { border-collapse: collapse; margin: 0.6em 0; }
.functory-report th, .functory-report td { padding: 0.2em 0.7em; text-align: right; }
.functory-report th:first-child, .functory-report td:first-child { text-align: left; }
.functory-report .words th, .functory-report .words td { text-align: left; vertical-align: top; }
.functory-report .many th:not(:first-child), .functory-report .many td:not(:first-child) { padding: 0.2em 0.35em; }
.functory-report .many thead th:not(:first-child) { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; }
.functory-report thead th { border-bottom: 1px solid #8888; vertical-align: bottom; }
.functory-report .quiet { opacity: 0.7; font-size: 90%; }
""".strip()


MOST_CLASSES = 30
"""Classes of a confusion matrix; of more, those that were confused most often are shown."""
UPRIGHT = 8
"""Classes of a matrix whose names stand upright in its head; those of more are turned, so that the page stays narrow."""
MOST_ROWS = 300
"""Classes in a table; of more, those with the most errors are shown."""


def is_bounded(confusion: Confusion) -> bool:
    """Return whether a page shows a part of the classes only."""
    return len(confusion.labels) > MOST_CLASSES


def page(report: Report, beside: str = "") -> str:
    """Return a whole page.

    :param beside: the name of the file that holds all confusions, where the page shows a part.
    """
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(report.headline())}</title>\n"
        "<style>:root { color-scheme: light dark; } body { font-family: sans-serif; margin: 2em; }</style></head>\n"
        f"<body>{fragment(report, beside)}</body></html>\n"
    )


def fragment(report: Report, beside: str = "") -> str:
    """Return what a notebook shows.

    :param beside: as for `page`.
    """
    parts = [f"<p><b>{escape(report.headline())}</b></p>", _table(*metric_rows(report))]
    parts.append(f'<p class="quiet">{escape(report.footnote())}</p>')
    if report.per_class:
        rows, more = telling(report.per_class, MOST_ROWS)
        parts.append(_table(*class_rows(rows)))
        parts += [f"<p>{escape(more)}</p>"] if more else []
    if report.confusion:
        parts.append(heat_map(report.confusion))
        parts += [f"<p>{escape(_bounded(report.confusion, beside))}</p>"] if is_bounded(report.confusion) else []
    if report.tried:
        parts.append(_table(*trial_rows(report.tried)))
    if report.mistakes:
        parts.append(f"<p>{escape(mistakes_line(report, len(report.mistakes)))}</p>")
        parts.append(_table(*mistake_rows(report.mistakes, report.source, LONGEST), kind="words"))
    if report.notes:
        parts.append("<ul>" + "".join(f"<li>{escape(note)}</li>" for note in report.notes) + "</ul>")
    return f'<div class="functory-report"><style>{STYLE}</style>\n' + "\n".join(parts) + "\n</div>"


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
    return f"<table{kind}><thead><tr>{header}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


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
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
