"""A report as tables of text, which the terminal and HTML lay out each in its way."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from functory.measuring.mistakes import cut, wrong_line
from functory.measuring.mistakes import rows as mistake_rows

if TYPE_CHECKING:
    from rich.console import RenderableType

    from functory.measuring.growth import Learned
    from functory.measuring.report import Confusion, Metric, Report
    from functory.measuring.slices import Slice
    from functory.measuring.suspects import Suspect
    from functory.measuring.trials import Trial

MANY_CLASSES = 12  # more do not fit a terminal as a matrix: the most confused pairs are told instead
MANY_ROWS = 40
FEW_MISTAKES = 5  # in a terminal; a page tells all that the report keeps

Table = tuple[list[str], list[list[str]]]


def draw(report: Report, mistakes: int = FEW_MISTAKES) -> RenderableType:
    """Return the report for a terminal.

    :param mistakes: how many of its wrong answers to show.
    """
    from functory.terminal import group, table, text

    parts = [
        text(report.headline(), "bold"),
        table(*metric_rows(report), right=(1, 3, 4)),
        text(report.footnote(), "dim"),
    ]
    if report.per_class:
        classes, more = telling(report.per_class, MANY_ROWS)
        header, rows = class_rows(classes)
        parts.append(table(header, rows, right=range(1, len(header))))
        parts += [text(more, "dim")] if more else []
    if report.confusion:
        header, rows = confusion_rows(report.confusion)
        numbers = (2,) if len(report.confusion.labels) > MANY_CLASSES else range(1, len(header))
        parts.append(table(header, rows, right=numbers))
    parts += [text(line) for line in trust_lines(report)]
    if report.tried:
        parts.append(table(*trial_rows(report.tried), right=(1, 3, 4)))
    if report.mistakes[:mistakes]:
        shown = report.mistakes[:mistakes]
        parts.append(text(mistakes_line(report, len(shown))))
        header, rows = mistake_rows(shown, report.source)
        parts.append(table(header, rows, right=(1,), short=range(2, len(header))))
    return group(*parts, *(text(f"note: {note}") for note in report.notes))


def trust_lines(report: Report) -> list[str]:
    """Return how far scores can be relied on, what can be answered at which error, and what is promised: a line each."""
    found = (report.calibration, report.coverage, *report.promises)
    return [one.line() for one in found if one is not None]


def trial_rows(tried: Sequence[Trial]) -> Table:
    """Return header and rows of the adaptations among which a build chose."""
    [metric, *_] = [*(one.metric for one in tried if one.metric), "score"]
    rows = [
        [
            one.called,
            "" if one.score is None else number(one.score),
            "" if one.low is None or one.high is None else f"{number(one.low)} – {number(one.high)}",
            f"{one.steps:,}",
            f"{one.seconds:,.1f}",
            "chosen" if one.is_chosen else one.why_not,
        ]
        for one in tried
    ]
    return ["tried", metric, "95% interval", "steps", "seconds", ""], rows


def mistakes_line(report: Report, shown: int) -> str:
    """Return what stands above a table of mistakes."""
    return wrong_line(report.wrong or 0, report.examples) + (
        f"; the {shown:,} surest of them:" if shown < (report.wrong or 0) else ":"
    )


def metric_rows(report: Report) -> Table:
    """Return header and rows of the metrics."""
    has_floor = any(metric.floor is not None for metric in report.metrics.values())
    rows = [
        [
            name,
            number(metric.value),
            interval(metric),
            *(_figure(metric.baseline), *([_figure(metric.floor)] if has_floor else [])),
        ]
        for name, metric in report.metrics.items()
    ]
    more = ["floor"] if has_floor else []
    return ["metric", "value", f"{report.confidence:.0%} interval", "baseline", *more], rows


def _figure(value: float | None) -> str:
    """Return a number as a cell; empty where there is none."""
    return "" if value is None else number(value)


def class_rows(per_class: Sequence[Mapping[str, Any]]) -> Table:  # Any: text and numbers
    """Return header and rows of the classes; a class without some column has it empty."""
    header = list(dict.fromkeys(column for row in per_class for column in row))
    return header, [[number(row.get(column, "")) for column in header] for row in per_class]


def slice_rows(report: Report) -> Table:
    """Return header and rows of the parts of the examples."""
    header = ["part", "examples", report.metric or "value", f"{report.confidence:.0%} interval"]
    return header, [[one.name, number(one.examples), number(one.value), interval(one)] for one in report.slices]


def curve_rows(report: Report) -> Table:
    """Return header and rows of the learning curve."""
    header = ["training examples", report.metric or "value", f"{report.confidence:.0%} interval"]
    return header, [[number(one.examples), number(one.value), interval(one)] for one in report.curve]


def curve_line(report: Report) -> str:
    """Say what the last doubling of the training data brought."""
    before, last = report.curve[-2], report.curve[-1]
    return (
        f"From {before.examples:,} to {last.examples:,} training examples {report.metric or 'the metric'} went from "
        f"{number(before.value)} to {number(last.value)}."
    )


def suspect_rows(found: Sequence[Suspect], source: str, longest: int) -> Table:
    """Return header and rows of examples whose labels look wrong.

    :param source: as for the mistakes.
    :param longest: characters of each text.
    """
    return ["where", "label", "likelier", "text"], [
        [
            one.place.removeprefix(source).lstrip(", "),
            f"{cut(one.label, longest)} ({one.of_label:.2f})",
            f"{cut(one.likelier, longest)} ({one.chance:.2f})",
            cut(one.text, longest),
        ]
        for one in found
    ]


def telling(per_class: Sequence[Mapping[str, Any]], most: int) -> tuple[Sequence[Mapping[str, Any]], str]:
    """Return the classes that a table shows, and what to say of the others: of many those that occur, of many of these those
    with the most errors, in their order.

    :param per_class: text and numbers by column; errors are told from `support` and `f1`, where all rows have them.
    """
    if len(per_class) <= most:
        return per_class, ""
    has_errors = all({"support", "f1"} <= row.keys() for row in per_class)
    there = [row for row in per_class if row["support"]] if has_errors else list(per_class)
    if len(there) <= most:
        return there, f"the {len(there):,} classes of {len(per_class):,} that occur in these examples"
    errors = [row["support"] * (1 - row["f1"]) if has_errors else 0 for row in there]
    chosen = sorted(sorted(range(len(there)), key=lambda n: -errors[n])[:most])
    which = f"the {most:,} classes with the most errors" if has_errors else f"the first {most:,} classes"
    return [there[n] for n in chosen], f"{which} of {len(per_class):,}"


def confusion_csv(confusion: Confusion) -> str:
    """Return all pairs that happened as CSV: the true class, the given one, how often; the most frequent confusions first,
    then the right answers.
    """
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(["true", "given", "times"])
    write.writerows(confusion.pairs())
    write.writerows((confusion.labels[true], confusion.labels[given], n) for true, given, n in confusion.counts if true == given)
    return out.getvalue()


def confusion_rows(confusion: Confusion) -> Table:
    """Return the matrix with its labels; the most confused pairs, where the classes are too many for it."""
    if len(confusion.labels) > MANY_CLASSES:
        return ["true", "given", "times"], [[a, b, f"{n:,}"] for a, b, n in confusion.pairs()[:MANY_CLASSES]]
    rows = [
        [label, *(f"{n:,}" for n in row)]
        for label, row in zip(confusion.labels, confusion.matrix(), strict=True)
    ]
    return ["true \\ given", *confusion.labels], rows


def interval(metric: Metric | Slice | Learned) -> str:
    """Return an interval as text; empty where there is none."""
    return _span(metric.low, metric.high)


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{number(low)} – {number(high)}"


def number(value: object) -> str:
    """Return a share with three decimals, a count with its thousands apart, anything else as it is."""
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
