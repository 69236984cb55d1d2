"""A report as HTML that needs nothing else: no script, no font, no picture. For notebooks and for files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from functory.measuring.mistakes import LONGEST
from functory.measuring.mistakes import rows as mistake_rows
from functory.measuring.report import Confusion, Report
from functory.measuring.tables import class_rows, metric_rows, mistakes_line

# Colours with transparency, so that a notebook's dark theme shows through.
STYLE = """
.functory-report table { border-collapse: collapse; margin: 0.6em 0; }
.functory-report th, .functory-report td { padding: 0.2em 0.7em; text-align: right; }
.functory-report th:first-child, .functory-report td:first-child { text-align: left; }
.functory-report thead th { border-bottom: 1px solid #8888; }
.functory-report .quiet { opacity: 0.7; font-size: 90%; }
""".strip()


def page(report: Report) -> str:
    """Return a whole page."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(report.headline())}</title>\n"
        "<style>body { font-family: sans-serif; margin: 2em; }</style></head>\n"
        f"<body>{fragment(report)}</body></html>\n"
    )


def fragment(report: Report) -> str:
    """Return what a notebook shows."""
    parts = [f"<p><b>{escape(report.headline())}</b></p>", _table(*metric_rows(report))]
    parts.append(f'<p class="quiet">{escape(report.footnote())}</p>')
    if report.per_class:
        parts.append(_table(*class_rows(report.per_class)))
    if report.confusion:
        parts.append(heat_map(report.confusion))
    if report.mistakes:
        parts.append(f"<p>{escape(mistakes_line(report, len(report.mistakes)))}</p>")
        parts.append(_table(*mistake_rows(report.mistakes, report.source, LONGEST)))
    if report.notes:
        parts.append("<ul>" + "".join(f"<li>{escape(note)}</li>" for note in report.notes) + "</ul>")
    return f'<div class="functory-report"><style>{STYLE}</style>\n' + "\n".join(parts) + "\n</div>"


def heat_map(confusion: Confusion) -> str:
    """Return the confusion matrix; a cell is the darker, the larger its share of its row."""
    header = "".join(f"<th>{escape(label)}</th>" for label in ("true \\ given", *confusion.labels))
    rows = [_heat_row(confusion, true) for true in range(len(confusion.labels))]
    return f"<table><thead><tr>{header}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _heat_row(confusion: Confusion, true: int) -> str:
    """Return one row: right answers in blue, wrong ones in red."""
    counts, label = confusion.matrix[true], confusion.labels[true]
    total = sum(counts) or 1
    cells = []
    for given, count in enumerate(counts):
        colour = "30, 110, 200" if given == true else "210, 60, 40"
        shade = f"rgba({colour}, {count / total * 0.7:.3f})"
        tip = escape(
            f"{label} given as {confusion.labels[given]}: {count:,} ({count / total:.1%})", quote=True
        )
        cells.append(f'<td title="{tip}" style="background: {shade}">{count:,}</td>')
    return f"<tr><td>{escape(label)}</td>{''.join(cells)}</tr>"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
