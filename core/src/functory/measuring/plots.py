"""Pictures of figures as SVG that needs nothing else: it takes the page's colours, light or dark, and the page's width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from functory.measuring.tables import number
from functory.wording.harmless import harmless_html as escape

WIDTH, HEIGHT = 360, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 20, 10, 38
"""The margins of a plot, which hold its numbers."""
ROW = 30
"""The height of a row of whiskers."""
LONGEST_NAME = 30

Point = tuple[float, float]


@dataclass(frozen=True)
class Axis:
    """An axis.

    :param name: what it measures.
    :param low: where it begins.
    :param high: where it ends.
    :param ticks: the numbers that stand at it.
    :param is_share: whether they are told as percent.
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    ticks: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0)
    is_share: bool = True

    def told(self, value: float) -> str:
        """Return a number as it stands at the axis."""
        return f"{value:.3g}" if not self.is_share else f"{value:.0%}" if round(value * 100, 6) % 1 == 0 else f"{value:.1%}"


@dataclass(frozen=True)
class Series:
    """What is drawn in a plot.

    :param points: (x, y) each.
    :param kind: a line, dots, or a dashed line.
    :param colour: ``main``, ``other`` or ``quiet``.
    :param tips: what is told of each point where a pointer rests on it.
    :param sizes: the radius of each dot.
    :param spans: the ends of an interval around each dot.
    """

    points: Sequence[Point]
    kind: Literal["line", "dots", "dashed"] = "line"
    colour: Literal["main", "other", "quiet"] = "main"
    tips: Sequence[str] = ()
    sizes: Sequence[float] = ()
    spans: Sequence[tuple[float, float] | None] = ()


@dataclass(frozen=True)
class Whisker:
    """A value with its interval, in a row of its own.

    :param marks: other values to compare with, by name.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    marks: Sequence[tuple[str, float]] = ()


def plot(title: str, x: Axis, y: Axis, series: Sequence[Series]) -> str:
    """Return a plot of two axes."""
    frame = [*_ticks_of(x, is_across=True), *_ticks_of(y, is_across=False)]
    drawn = [part for one in series for part in _drawn(one, x, y)]
    return _svg(title, WIDTH, HEIGHT, [*frame, *drawn])


def whiskers(title: str, rows: Sequence[Whisker]) -> str:
    """Return values with their intervals on one axis that fits them: a dot, a line, and a mark for what each is held against."""
    numbers = [n for row in rows for n in (row.value, row.low, row.high, *(v for _, v in row.marks)) if n is not None]
    low, high = min(numbers), max(numbers)
    pad = (high - low) * 0.08 or 0.02
    axis = Axis("", max(0.0, low - pad) if low >= 0 else low - pad, min(1.0, high + pad) if high <= 1 else high + pad, (), False)
    height = len(rows) * ROW + 22
    parts = [part for n, row in enumerate(rows) for part in _whisker(row, axis, n * ROW)]
    ends = [(axis.low, "start"), ((axis.low + axis.high) / 2, "middle"), (axis.high, "end")]
    told = [_text(_across(value, axis, 8), height - 6, f"{value:.2f}", anchor, "tick") for value, anchor in ends]
    return _svg(title, WIDTH, height, [*parts, *told])


def _whisker(row: Whisker, axis: Axis, top: float) -> Iterator[str]:
    middle = top + 21
    told = f"{row.name[: LONGEST_NAME - 1]}…" if len(row.name) > LONGEST_NAME else row.name
    yield _text(8, top + 12, told, "start")
    yield _text(WIDTH - RIGHT, top + 12, number(row.value), "end")
    yield _line(8, middle, WIDTH - RIGHT, middle, "grid")
    for name, value in row.marks:
        at = _across(value, axis, 8)
        tip = escape(f"{name}: {number(value)}")
        yield f"<g><title>{tip}</title>{_line(at, middle - 6, at, middle + 6, 'other')}</g>"
    if row.low is not None and row.high is not None:
        yield _line(_across(row.low, axis, 8), middle, _across(row.high, axis, 8), middle, "span")
    yield _dot(_across(row.value, axis, 8), middle, 4.5, "main", f"{row.name}: {number(row.value)}")


def _drawn(series: Series, x: Axis, y: Axis) -> Iterator[str]:
    places = [(_across(a, x), _up(b, y)) for a, b in series.points]
    if series.kind != "dots":
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        yield f'<polyline class="{series.colour} {series.kind}" points="{path}"/>'
        return
    for n, (a, b) in enumerate(places):
        span = series.spans[n] if series.spans else None
        if span is not None:
            yield _line(a, _up(span[0], y), a, _up(span[1], y), "span")
        yield _dot(a, b, series.sizes[n] if series.sizes else 4, series.colour, series.tips[n] if series.tips else "")


def _ticks_of(axis: Axis, *, is_across: bool) -> Iterator[str]:
    for value in axis.ticks:
        if is_across:
            at = _across(value, axis)
            yield _line(at, TOP, at, HEIGHT - BOTTOM, "grid")
            yield _text(at, HEIGHT - BOTTOM + 14, axis.told(value), "middle", "tick")
        else:
            at = _up(value, axis)
            yield _line(LEFT, at, WIDTH - RIGHT, at, "grid")
            yield _text(LEFT - 5, at + 4, axis.told(value), "end", "tick")
    if is_across:
        yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 5, axis.name, "middle")
    else:
        middle = (TOP + HEIGHT - BOTTOM) / 2
        turned = f'transform="translate(11 {middle:.0f}) rotate(-90)"'
        yield f'<text text-anchor="middle" {turned}>{escape(axis.name)}</text>'


def _across(value: float, axis: Axis, left: float = LEFT) -> float:
    return left + (value - axis.low) / ((axis.high - axis.low) or 1) * (WIDTH - RIGHT - left)


def _up(value: float, axis: Axis) -> float:
    share = min(1.0, max(0.0, (value - axis.low) / ((axis.high - axis.low) or 1)))
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _dot(x: float, y: float, radius: float, kind: str, tip: str) -> str:
    told = f"<title>{escape(tip)}</title>" if tip else ""
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">{told}</circle>'


def _text(x: float, y: float, told: str, anchor: str, kind: str = "") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(told)}</text>'


def _svg(title: str, width: int, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}"><title>{escape(title)}</title>'
        f"{''.join(parts)}</svg>"
    )
