"""What a count of failures says of their true rate: exact binomial bounds (Clopper and Pearson 1934)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

STEPS = 50
"""Halvings of the interval in which a rate is sought: far below what a report tells."""


def at_most(failures: int, count: int, rate: float) -> float:
    """Return the probability of so few failures or fewer, where each of `count` fails at a rate between 0 and 1."""
    import numpy as np

    if failures >= count:
        return 1.0
    logs = _log_factorials(count.bit_length())
    some = np.arange(failures + 1)
    ways = logs[count] - logs[some] - logs[count - some]
    return min(1.0, float(np.exp(ways + some * np.log(rate) + (count - some) * np.log1p(-rate)).sum()))


def highest_rate(failures: int, count: int, risk: float) -> float:
    """Return the rate at which so few failures have a probability of `risk`: the true one is above it that rarely.

    :param failures: of `count`.
    :param risk: between 0 and 1: 0.05 for a one-sided bound at 95 %.
    """
    if failures >= count:
        return 1.0
    low, high = failures / count, 1.0
    for _ in range(STEPS):
        rate = (low + high) / 2
        low, high = (rate, high) if at_most(failures, count, rate) > risk else (low, rate)
    return high


def lowest_rate(failures: int, count: int, risk: float) -> float:
    """Return the rate at which so many failures have a probability of `risk`: the true one is below it that rarely."""
    return 1 - highest_rate(count - failures, count, risk)


@lru_cache(maxsize=2)
def _log_factorials(bits: int) -> Any:  # Any: an array, and numpy is imported where it is used
    """Return the logarithms of the factorials of all numbers of so many bits."""
    import numpy as np

    return np.concatenate([[0.0], np.log(np.arange(1, 2**bits, dtype=np.float64)).cumsum()])
