"""What share can be answered at a given error: the risk–coverage curve, and the limit that promises an error.

Geifman and El-Yaniv 2017, Selective classification for deep neural networks: with probability `confidence` over the draw of
the rows, those that are answered above the limit are wrong at most so often.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from functory.measuring.rates import at_most, highest_rate

if TYPE_CHECKING:
    from functory.contracts.certainty import Certainty

ERRORS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""The errors of which a report says what share can be answered."""
POINTS = 100
"""Points of a curve at most; more than that no picture shows."""
CONFIDENCE = 0.95

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class Point(BaseModel):
    """What would be so if a function answered only where it is surer than a limit."""

    model_config = _FROZEN

    limit: float = Field(description="The function answers where its score is above it.")
    share: float = Field(description="The share of the inputs that is answered: the coverage.")
    error: float = Field(description="The share of the answers that is wrong: the risk.")


class Answerable(BaseModel):
    """What share of the inputs can be answered at an error."""

    model_config = _FROZEN

    error: float = Field(description="The error.")
    share: float = Field(description="The largest share whose error on these examples is no larger.")
    promised: float = Field(description="The largest share at which these examples would promise it, as `abstain_at` does.")


class Coverage(BaseModel):
    """The risk–coverage curve."""

    model_config = _FROZEN

    points: tuple[Point, ...] = Field(description="From the fewest answers to all.")
    area: float = Field(description="The mean error over all shares: the area under the curve, the smaller the better.")
    answerable: tuple[Answerable, ...]
    confidence: float = CONFIDENCE

    def line(self) -> str:
        """Return in one line what share can be answered at which error."""
        told = ", ".join(f"{one.share:.0%} at {one.error:.0%}" for one in self.answerable)
        return f"Share that can be answered at an error: {told}."


@dataclass(frozen=True)
class Limit:
    """A limit, and what it promises.

    :param limit: the function answers where its score is above it.
    :param share: of the rows that it was found on, the share that lies above.
    :param bound: the error is not larger, with the confidence asked for.
    """

    limit: float
    share: float
    bound: float


@dataclass(frozen=True)
class Curve:
    """Rows by how sure a function is of them.

    :param limits: (limits,) upwards: 0, which all are above, then each score that is reached.
    :param answered: (limits,) how many rows lie above.
    :param wrong: (limits,) how many of these are wrong.
    :param rows: how many there are in all.
    """

    limits: Sequence[float]
    answered: Sequence[int]
    wrong: Sequence[int]
    rows: int

    @classmethod
    def of(cls, found: Certainty) -> Curve:
        """Return the curve of some rows."""
        import numpy as np

        sure, is_wrong = found.sure[found.is_open], ~found.is_right[found.is_open]
        values, place = np.unique(sure, return_inverse=True)
        counts = np.bincount(place, minlength=len(values)), np.bincount(place, weights=is_wrong, minlength=len(values))
        above = [np.append(one[::-1].cumsum()[::-1], 0).astype(int).tolist() for one in counts]  # at or above each value
        is_zero = bool(len(values)) and values[0] <= 0  # such rows are never above a limit
        limits = [*([] if is_zero else [0.0]), *values.tolist()]
        answered, wrong = (one[1:] if is_zero else one for one in above)
        return cls(limits, answered, wrong, len(found.sure))

    def best(self, error: float) -> int | None:
        """Return the first limit at which the rows' error is no larger; None where no answer is left there."""
        return next((n for n, (k, e) in enumerate(self._steps()) if k and e <= error * k), None)

    def promising(self, error: float, confidence: float) -> Limit | None:
        """Return the limit that promises an error; None where these rows find none.

        Shares that were fixed before, one in `starts`, are tried each at a part of the risk (the union of section 3). From the
        largest that passes, limits further down are tried one after the other until one fails, which costs no risk
        (Angelopoulos et al. 2021, Learn then test, section 3.2). The paper's binary search begins in the middle, where half of
        the rows are too few witnesses long before all are. What is counted lies above the row that sets the limit, so that this
        row is no witness for itself.
        """
        risk = (1 - confidence) / tries(self.answered[0])

        def passes(place: int) -> bool:
            return bool(self.answered[place]) and at_most(self.wrong[place], self.answered[place], error) <= risk

        failed = -1
        for start in self.starts():
            if passes(start):
                place = next((n for n in range(start - 1, failed, -1) if not passes(n)), failed) + 1
                bound = highest_rate(self.wrong[place], self.answered[place], risk)
                return Limit(self.limits[place], self.answered[place] / self.rows, bound)
            failed = start
        return None

    def starts(self) -> list[int]:
        """Return the limits that are tried first: all answers, then evenly fewer."""
        whole = self.answered[0]
        count = tries(whole)
        wanted = [whole * (count - n) // count for n in range(count)]
        found = (next((place for place, k in enumerate(self.answered) if k <= most), None) for most in wanted)
        return sorted({place for place in found if place is not None})

    def wanted(self, error: float, confidence: float) -> int | None:
        """Return how many rows would promise an error if they were like these; None where even `MOST` would not.

        Limits that leave too few answers to know their error are passed over.
        """
        known = [(limit, k, e) for limit, (k, e) in zip(self.limits, self._steps(), strict=True) if k >= KNOWN]
        rows = max(self.rows + 1, fewest(error, confidence))
        while known and rows <= MOST:
            scale = rows / self.rows
            answered = [int(k * scale) for _, k, _ in known]
            wrong = [min(count, math.ceil(e * scale)) for count, (_, _, e) in zip(answered, known, strict=True)]
            more = Curve([limit for limit, _, _ in known], answered, wrong, rows)
            if more.promising(error, confidence) is not None:
                return rows
            rows = math.ceil(rows * 1.2)
        return None

    def _steps(self) -> list[tuple[int, int]]:
        return list(zip(self.answered, self.wrong, strict=True))


KNOWN = 20
"""Answers above a limit from which their error says something of how many rows would be enough."""
MOST = 100_000


def tries(rows: int) -> int:
    """Return at how many shares of so many rows a limit is sought."""
    return max(1, math.ceil(math.log2(max(2, rows))))


def fewest(error: float, confidence: float) -> int:
    """Return the fewest rows that can promise an error, if none of them is answered wrongly."""
    rows = 1
    while (1 - error) ** rows > (1 - confidence) / tries(rows):
        rows += 1
    return rows


def coverage(found: Certainty, confidence: float = CONFIDENCE) -> Coverage | None:
    """Return the risk–coverage curve; None where nothing is answered."""
    curve = Curve.of(found)
    if not curve.answered or not curve.answered[0]:
        return None
    shown = _shown(curve)
    points = [
        Point(limit=curve.limits[n], share=curve.answered[n] / curve.rows, error=curve.wrong[n] / curve.answered[n])
        for n in shown
    ]
    return Coverage(
        points=tuple(points), area=_area(curve), confidence=confidence,
        answerable=tuple(_answerable(curve, error, confidence) for error in ERRORS),
    )  # fmt: skip


def _answerable(curve: Curve, error: float, confidence: float) -> Answerable:
    best, promise = curve.best(error), curve.promising(error, confidence)
    return Answerable(
        error=error,
        share=0.0 if best is None else curve.answered[best] / curve.rows,
        promised=0.0 if promise is None else promise.share,
    )


def _shown(curve: Curve) -> list[int]:
    """Return which limits become points, from the fewest answers to all: of very many, about as many answers apart."""
    there = [n for n in range(len(curve.limits)) if curve.answered[n]][::-1]
    if len(there) <= POINTS:
        return there
    steps: dict[int, int] = {}
    for n in there:
        steps[math.ceil(curve.answered[n] * POINTS / curve.answered[0])] = n  # the last of each hundredth
    return list(steps.values())


def _area(curve: Curve) -> float:
    """Return the mean of the error over the answers, each with all that are at least as sure."""
    whole, before = 0.0, 0
    for answered, wrong in reversed(curve._steps()):
        if answered:
            whole += (answered - before) * wrong / answered
            before = answered
    return whole / before
