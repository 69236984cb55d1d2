"""Prediction sets that hold the right label as often as promised: split conformal prediction.

Vovk et al. 2005, Algorithmic learning in a random world; Sadinle et al. 2019 for what is compared, the right label's probability.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def least_chance(of_right: NDArray[np.float64], at: float) -> float | None:
    """Return the probability from which on labels belong to a set; None where these rows are too few, or too often unknown.

    :param of_right: (rows,) the probability of the right label on untouched rows; below 0 where it is none that is known.
    :param at: the share of the sets that may lack it.
    """
    rows = len(of_right)
    place = _place(rows, at)
    if place > rows:
        return None
    least = float(sorted(of_right.tolist(), reverse=True)[place - 1])
    return least if least >= 0 else None


def fewest_rows(at: float) -> int:
    """Return the fewest untouched rows on which sets can be promised."""
    rows = max(1, math.floor(1 / at) - 1)
    while _place(rows, at) > rows:
        rows += 1
    return rows


def _place(rows: int, at: float) -> int:
    """Return which of the rows, from the surest, a new one is no further down than with the probability promised."""
    return math.ceil((rows + 1) * (1 - at) - 1e-9)
