"""How good an order is: where what is relevant stands in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from functory_sdk import Array, Scorer

DEPTH = 10
"""How much of an order nDCG looks at."""
RECALLS = (1, 5, 10)
NONE: Array = np.zeros(0)
METRICS = {
    "ndcg@10": "the gain of the first ten, their grades discounted by their places, as a share of what the best order gains "
    "(Järvelin and Kekäläinen 2002)",
    "mrr": "the mean of 1 by the place of the first relevant candidate",
    "map": "the mean precision at the place of each relevant candidate; where grades are 0 and 1",
    **{f"recall@{k}": f"the share of the relevant candidates among the first {k}" for k in RECALLS},
}


def scorer(grades: Sequence[Array], missed: Sequence[Array] = ()) -> Scorer:
    """Return the metrics as a function of which queries count.

    :param grades: of each query, those of its candidates in the order they were put in.
    :param missed: of each query, those of the candidates that were not found; none where it is empty.
    """
    missed = missed or [NONE] * len(grades)
    each = [*zip(grades, missed, strict=True)]
    names = [name for name in METRICS if name != "map" or all(((one == 0) | (one == 1)).all() for pair in each for one in pair)]
    table = {name: np.asarray([measured(*pair)[name] for pair in each]) for name in names}
    return lambda indices: {name: float(values[indices].mean()) for name, values in table.items()}


def measured(grades: Array, missed: Array = NONE) -> dict[str, float]:
    """Return each metric of one order; 0 where nothing relevant was found.

    :param grades: (candidates,) from the first to the last.
    :param missed: (others,) of those that are not in the order.
    """
    whole = np.concatenate([grades, missed])
    wanted = int((whole > 0).sum())
    places = np.flatnonzero(grades > 0) + 1  # from 1
    if not len(places):
        return dict.fromkeys(METRICS, 0.0)
    found = {
        "ndcg@10": gain(grades) / gain(np.sort(whole)[::-1]),
        "mrr": 1 / places[0],
        "map": (np.arange(1, len(places) + 1) / places).sum() / wanted,
        **{f"recall@{k}": (places <= k).sum() / wanted for k in RECALLS},
    }
    return {name: float(value) for name, value in found.items()}


def gain(grades: Array) -> float:
    """Return the discounted gain of the first ten: each grade by the logarithm of its place, to base 2."""
    first = grades[:DEPTH]
    return float((first / np.log2(np.arange(2, len(first) + 2))).sum())
