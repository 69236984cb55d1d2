"""How far apart two sets of outputs are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from functory.contracts.rows import Row


def difference(first: Sequence[Row], second: Sequence[Row]) -> float:
    """Return the largest difference of any number; infinity where names or shapes differ, or a number is not finite."""
    if len(first) != len(second):
        return float("inf")
    worst = 0.0
    for one, other in zip(first, second, strict=True):
        if one.keys() != other.keys():
            return float("inf")
        for name, value in one.items():
            worst = max(worst, _distance(np.asarray(value), np.asarray(other[name])))
    return worst


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    if one.shape != other.shape or not (np.isfinite(one).all() and np.isfinite(other).all()):
        return float("inf")
    return float(np.abs(one.astype(np.float64) - other.astype(np.float64)).max()) if one.size else 0.0
