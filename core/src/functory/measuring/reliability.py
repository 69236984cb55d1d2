"""Whether probabilities are what they say: the expected calibration error, and the points of a reliability diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from functory.contracts.certainty import Certainty

BINS = 15
"""Bins of equal width (Guo et al. 2017, On calibration of modern neural networks, section 3)."""

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class Bin(BaseModel):
    """The answers whose probability lies in one range: a point of the reliability diagram."""

    model_config = _FROZEN

    low: float = Field(description="Where the range begins; what lies on it belongs to the range below.")
    high: float
    count: int = Field(ge=1, description="How many there are.")
    sure: float = Field(description="Their mean probability.")
    right: float = Field(description="The share of them that is right.")


class Calibration(BaseModel):
    """Whether the probabilities that a function gives are how often it is right."""

    model_config = _FROZEN

    error: float = Field(description="The expected calibration error: how far the two are apart in the mean over the answers.")
    before: float | None = Field(
        None, description="The same without the function's calibration; None where it was not calibrated."
    )
    count: int = Field(ge=1, description="How many probabilities were held against what is so.")
    bins: tuple[Bin, ...] = Field(description="The reliability diagram; ranges without an answer are left out.")
    bins_before: tuple[Bin, ...] = Field((), description="The same without the function's calibration.")

    def line(self) -> str:
        """Return the calibration in one line."""
        before = "" if self.before is None else f" (before calibration {self.before:.3f})"
        return f"Expected calibration error {self.error:.3f}{before}."


def calibration(found: Certainty, before: Certainty | None = None) -> Calibration | None:
    """Return how well probabilities are calibrated; None where there are none.

    :param before: the same answers without the function's calibration, where it has any.
    """
    points = bins(found)
    if not points:
        return None
    earlier = () if before is None else bins(before)
    return Calibration(
        error=error(points), before=error(earlier) if earlier else None, count=sum(point.count for point in points),
        bins=points, bins_before=earlier,
    )  # fmt: skip


def bins(found: Certainty) -> tuple[Bin, ...]:
    """Return the points of a reliability diagram."""
    import numpy as np

    chances, is_so = found.held()
    place = np.clip(np.ceil(chances * BINS).astype(int) - 1, 0, BINS - 1)  # (chances,)
    counts = np.bincount(place, minlength=BINS)
    sums, right = (np.bincount(place, weights=values, minlength=BINS) for values in (chances, is_so))
    return tuple(
        Bin(low=n / BINS, high=(n + 1) / BINS, count=int(counts[n]), sure=sums[n] / counts[n], right=right[n] / counts[n])
        for n in np.flatnonzero(counts)
    )


def error(points: tuple[Bin, ...]) -> float:
    """Return the expected calibration error (Naeini et al. 2015, Obtaining well calibrated probabilities)."""
    whole = sum(point.count for point in points)
    return sum(point.count * abs(point.sure - point.right) for point in points) / whole
