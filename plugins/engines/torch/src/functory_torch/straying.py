"""Sees that training goes astray, as it does at too high a learning rate: losses climb or come back, or all rows get one answer.

Apart from the sentinels, which find what is wrong with a model: here it is right, and another rate may do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Self

from torch import Tensor

from functory_sdk import TrainingError

WINDOW = 32
"""Steps over whose losses a mean is taken."""
WORSE = 1.25
"""Where training learns, its loss falls; one that is so many times the first, and `SLACK` more, says that it goes astray."""
SLACK = 0.05
SURE = 6.0
"""Standard errors by which a mean is clear of another: a run has thousands of windows, and some lie far out by chance."""
LOST = 0.8
"""The part of what the loss had fallen by: where it has climbed back by so much, what was learned is gone."""
ALIKE = 1e-3
"""Outputs that differ by less than this part of the largest are one answer: a millionth, of a model that died."""


class Diverged(TrainingError):
    """Training went astray: the learning rate is too high for these rows.

    :param why: how that showed.
    :param rate: the learning rate.
    """

    def __init__(self, why: str, rate: float) -> None:
        super().__init__(
            f"training diverged at a learning rate of {rate:g}: {why}.", do="lower learning_rate, or lengthen warmup."
        )


@dataclass(frozen=True)
class Mean:
    """A mean of losses, and its standard error."""

    value: float = math.inf
    error: float = 0.0

    @classmethod
    def of(cls, losses: Sequence[float]) -> Self:
        """:param losses: two or more."""
        return cls(fmean(losses), stdev(losses) / math.sqrt(len(losses)))

    def is_above(self, other: Mean) -> bool:
        """Return whether this mean is clearly the higher one."""
        return self.value - other.value > SURE * math.hypot(self.error, other.error)


def astray(first: Sequence[float], last: Sequence[float], low: Mean, done: float) -> str:
    """Return how losses show that training goes astray; empty where they do not.

    They have clearly climbed over the first, far or though the rate falls by now; or they had clearly fallen, and came back.

    :param first: those of the first steps, a window.
    :param last: those of the last ones.
    :param low: the lowest mean of a window so far.
    :param done: which part of all steps is done.
    """
    began, ends = Mean.of(first), Mean.of(last)
    told = f"the loss was {began.value:.3g} in the first {WINDOW} steps"
    if ends.is_above(began) and (done >= 0.5 or ends.value > WORSE * began.value + SLACK):
        return f"{told}, and {ends.value:.3g} in {WINDOW} later ones"
    fall, climb = began.value - low.value, ends.value - low.value
    if began.is_above(low) and ends.is_above(low) and climb >= LOST * fall:
        return f"{told}, fell to {low.value:.3g}, and came back to {ends.value:.3g}"
    return ""


def is_dead(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> bool:
    """Return whether different rows get one answer.

    :param outputs: of a batch, (rows, …) each.
    :param batch: its padded rows.
    """
    if all(bool((ids == ids[:1]).all()) for name, ids in batch.items() if name.endswith("ids")):
        return False
    found = [value.float() for value in outputs.values() if value.is_floating_point() and value.numel()]
    return bool(found) and all(float((one - one[:1]).abs().max()) <= ALIKE * float(one.abs().max()) for one in found)
