"""Where an answer begins to be given: what the best stretch has above no answer."""

from __future__ import annotations

import numpy as np

from functory_sdk import Array


def best_threshold(gains: Array, answered: Array, unanswered: Array) -> float:
    """Return the gain above which answering is worth most on held-out examples (Rajpurkar et al. 2018, section 4).

    It lies in the middle between two examples' gains; of several as good the nearest to 0 is taken.

    :param gains: (examples,) of each one's best stretch; −∞ where there is none.
    :param answered: (examples,) what it is worth to answer it.
    :param unanswered: (examples,) what it is worth to say that there is no answer.
    """
    order = np.argsort(-gains, kind="stable")
    order = order[np.isfinite(gains[order])]
    ordered = gains[order]
    if not len(ordered):
        return 0.0
    edges = np.concatenate([[ordered[0] + 2.0], ordered, [ordered[-1] - 2.0]])
    thresholds = (edges[:-1] + edges[1:]) / 2  # the k-th has k examples above it
    worth = np.concatenate([[0.0], np.cumsum((answered - unanswered)[order])])
    is_parted = np.concatenate([[True], np.diff(ordered) < 0, [True]])  # examples of one gain cannot be told apart
    best = worth[is_parted].max()
    chosen = thresholds[is_parted & (worth >= best - 1e-9)]
    return float(chosen[np.abs(chosen).argmin()])
