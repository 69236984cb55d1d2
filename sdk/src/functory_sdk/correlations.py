"""How well numbers follow numbers: what tasks of scores are measured by.

Apart from the tasks, because several of them give numbers.
"""

from __future__ import annotations

import numpy as np

from functory.contracts.rows import Array


def correlation(one: Array, other: Array) -> float:
    """Return Pearson's correlation, 0 where a side has one value alone."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def ranks(values: Array) -> Array:
    """Return each value's rank from 1, (values,); equal ones have the mean of theirs. Spearman's correlation is that of ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle: Array = counts.cumsum() - (counts - 1) / 2
    return middle[place]
