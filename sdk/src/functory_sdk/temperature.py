"""The temperature of scores: one number that makes probabilities mean what they say, fitted on rows that nothing else used.

Guo et al. 2017, On calibration of modern neural networks, section 4.2. It changes how sure a function is and, where the likeliest
is answered of one row, never what it answers. Isotonic regression bends each score by itself, which a hundred rows do not bear.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from functory.contracts.rows import Array
from functory.contracts.trust import FEWEST_TO_CALIBRATE

SPREAD = 0.5
"""How far the logarithm of a temperature is thought to be from 0 before rows are looked at, as a standard deviation: what keeps
it finite where every row is right."""
ENDS = (math.log(0.2), math.log(50.0))
STEPS = 40
_GOLDEN = (math.sqrt(5) - 1) / 2


def fitted_temperature(loss: Callable[[float], float], rows: int) -> float:
    """Return the temperature with the least loss; 1 for fewer than `FEWEST_TO_CALIBRATE` rows.

    :param loss: the mean negative log-likelihood of the rows at a temperature.
    """
    if rows < FEWEST_TO_CALIBRATE:
        return 1.0

    def cost(log: float) -> float:
        return rows * loss(math.exp(log)) + (log / SPREAD) ** 2 / 2

    low, high = ENDS
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = cost(left), cost(right)
    for _ in range(STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = cost(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = cost(right)
    best = (low + high) / 2
    return round(math.exp(best), 4) if cost(best) < cost(0.0) else 1.0


def mean_of_rows(values: Array, counts: Sequence[int]) -> Array:
    """Return the mean over the rows of each input, (inputs, …), from values by row, (rows, …).

    :param counts: how many rows each input has, one at least.
    """
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(int)
    means: Array = np.add.reduceat(values, starts, axis=0) / np.asarray(counts).reshape(-1, *[1] * (values.ndim - 1))
    return means


def surprise(chances: Array) -> float:
    """Return the mean negative log-likelihood of what has these probabilities."""
    return float(-np.log(np.clip(chances, 1e-12, 1.0)).mean())
