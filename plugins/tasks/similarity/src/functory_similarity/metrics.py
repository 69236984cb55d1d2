"""How well numbers follow numbers: correlations, and how far off they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from functory_sdk import Array, Scorer, correlation, ranks

METRICS = {
    "pearson": "the correlation of the given numbers with the right ones (Pearson)",
    "spearman": "the correlation of their ranks, ties sharing the mean of theirs (Spearman 1904)",
    "mean_absolute_error": "how far the given numbers are from the right ones, in the mean",
}


def scorer(given: Sequence[float], wanted: Sequence[float]) -> Scorer:
    """Return the metrics as a function of which examples count. Where all numbers of a side are the same, nothing follows: 0."""
    said, true = np.asarray(given, dtype=np.float64), np.asarray(wanted, dtype=np.float64)

    def score(indices: Array) -> dict[str, float]:
        one, other = said[indices], true[indices]
        return {
            "pearson": correlation(one, other),
            "spearman": correlation(ranks(one), ranks(other)),
            "mean_absolute_error": float(np.abs(one - other).mean()),
        }

    return score
