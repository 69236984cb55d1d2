"""The pictures of a report, each made of its numbers alone."""

from __future__ import annotations

from functory.measuring.plots import Axis, Series, Whisker, plot, whiskers
from functory.measuring.reliability import Bin, Calibration
from functory.measuring.report import Report
from functory.measuring.selective import Coverage

LARGEST = 9.0
"""The radius of a dot that stands for all answers."""
SMALLEST = 2.0
HEADROOM = 1.15
ERROR_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def metrics_plot(report: Report) -> str:
    """Return the metrics that are shares, with intervals, baseline and floor; empty where none is."""
    rows = [
        Whisker(
            name, one.value, one.low, one.high,
            [(kind, value) for kind, value in (("baseline", one.baseline), ("floor", one.floor)) if value is not None],
        )
        for name, one in report.metrics.items()
        if all(value is None or 0 <= value <= 1 for value in (one.value, one.low, one.high, one.baseline, one.floor))
    ]  # fmt: skip
    return whiskers("Metrics with their intervals", rows) if rows else ""


def reliability_plot(found: Calibration) -> str:
    """Return the reliability diagram: dots on the diagonal mean what they say, the larger the more answers."""
    before = [_bins(found.bins_before, found.count, "other", "before calibration")] if found.bins_before else []
    diagonal = Series([(0, 0), (1, 1)], "dashed", "quiet")
    return plot(
        "Reliability diagram", Axis("score"), Axis("right"), [diagonal, *before, _bins(found.bins, found.count, "main", "")]
    )


def _bins(bins: tuple[Bin, ...], count: int, colour: str, when: str) -> Series:
    tips = [f"{when} score {one.sure:.2f}, right {one.right:.2f}: {one.count:,} answers".strip() for one in bins]
    sizes = [SMALLEST + (LARGEST - SMALLEST) * (one.count / count) ** 0.5 for one in bins]
    return Series([(one.sure, one.right) for one in bins], "dots", colour, tips, sizes)  # type: ignore[arg-type]


def coverage_plot(found: Coverage) -> str:
    """Return the risk–coverage curve: the error among the answers, where only so many of the inputs are answered."""
    highest = max(one.error for one in found.points) * HEADROOM or 0.01
    ticks = [0.0, *(one for one in ERROR_TICKS if highest / 5 < one <= highest)]
    line = Series([(one.share, one.error) for one in found.points], "line")
    return plot("Risk and coverage", Axis("share answered"), Axis("wrong", 0, highest, ticks), [line])


def slices_plot(report: Report, by: str) -> str:
    """Return the metric on the parts by length or by language."""
    rows = [
        Whisker(f"{one.name} ({one.examples:,})", one.value, one.low, one.high) for one in report.slices if one.by == by
    ]
    return whiskers(f"{report.metric or 'The metric'} by {by}", rows)


def curve_plot(report: Report) -> str:
    """Return the learning curve; the training examples stand on a logarithmic axis."""
    from math import log2

    points = report.curve
    places = [log2(one.examples) for one in points]
    ends = [n for one in points for n in (one.value, one.low, one.high) if n is not None]
    pad = (max(ends) - min(ends)) * 0.1 or 0.02
    x = _Counts("training examples", min(places) - 0.2, max(places) + 0.2, places, False)
    low, high = min(ends) - pad, max(ends) + pad
    y = Axis(report.metric or "value", low, high, [low + (high - low) * n / 4 for n in range(5)], False)
    line = list(zip(places, (one.value for one in points), strict=True))
    spans = [None if one.low is None or one.high is None else (one.low, one.high) for one in points]
    tips = [f"{one.examples:,} examples: {one.value:.3f}" for one in points]
    return plot("Learning curve", x, y, [Series(line), Series(line, "dots", tips=tips, spans=spans)])


class _Counts(Axis):
    """An axis of counts by their logarithm."""

    def told(self, value: float) -> str:
        return f"{round(2**value):,}"
