"""How good an order is: where what is relevant stands in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from functory_sdk import Array, Scorer

DEPTH = 10
"""How much of an order nDCG looks at."""
RECALLS = (1, 5, 10)
METRICS = {
    "ndcg@10": "the gain of the first ten, their grades discounted by their places, as a share of what the best order gains "
    "(Järvelin and Kekäläinen 2002)",
    "mrr": "the mean of 1 by the place of the first relevant candidate",
    "map": "the mean precision at the place of each relevant candidate; where grades are 0 and 1",
    **{f"recall@{k}": f"the share of the relevant candidates among the first {k}" for k in RECALLS},
}


def scorer(grades: Sequence[Array]) -> Scorer:
    """Return the metrics as a function of which queries count.

    :param grades: of each query, those of its candidates in the order they were put in.
    """
    names = [name for name in METRICS if name != "map" or all(((one == 0) | (one == 1)).all() for one in grades)]
    table = {name: np.asarray([measured(one)[name] for one in grades]) for name in names}
    return lambda indices: {name: float(values[indices].mean()) for name, values in table.items()}


def measured(grades: Array) -> dict[str, float]:
    """Return each metric of one order; 0 where nothing is relevant.

    :param grades: (candidates,) from the first to the last.
    """
    places = np.flatnonzero(grades > 0) + 1  # from 1
    if not len(places):
        return dict.fromkeys(METRICS, 0.0)
    found = {
        "ndcg@10": gain(grades) / gain(np.sort(grades)[::-1]),
        "mrr": 1 / places[0],
        "map": (np.arange(1, len(places) + 1) / places).mean(),
        **{f"recall@{k}": (places <= k).mean() for k in RECALLS},
    }
    return {name: float(value) for name, value in found.items()}


def gain(grades: Array) -> float:
    """Return the discounted gain of the first ten: each grade by the logarithm of its place, to base 2."""
    first = grades[:DEPTH]
    return float((first / np.log2(np.arange(2, len(first) + 2))).sum())
