"""When a function declines: inputs that are none of its labels, by how sure it is and a limit that is tuned on dev.

How sure: the probability of the likeliest label (Hendrycks and Gimpel 2017, A baseline for detecting misclassified and
out-of-distribution examples), or the energy of the labels' logits (Liu et al. 2020, Energy-based out-of-distribution
detection). Where training data hold inputs that are out of scope, they are a class of their own (Larson et al. 2019, An
evaluation dataset for intent classification and out-of-scope prediction), and take probability from all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from functory.contracts.rows import Array
from functory_sdk.labels.types import Labels


def surest(shares: Array, state: Labels) -> int:
    """Return the likeliest label that is in scope."""
    return int(shares[: state.inside].argmax())


def sureness(shares: Array, state: Labels, energy: float | None) -> float:
    """Return how much speaks for one of the labels.

    :param shares: (labels,) the probability of each.
    :param energy: the logarithm of the summed exponentials of the logits in scope, where the function goes by it.
    """
    return float(shares[: state.inside].max()) if energy is None else energy


def declines(shares: Array, sure: float, state: Labels) -> bool:
    """Whether an input is out of scope: below the limit, or, where none was tuned, likeliest so."""
    limit = state.scope.limit if state.scope else None
    return sure < limit if limit is not None else int(shares.argmax()) >= state.inside


def lead(shares: Array, sure: float, state: Labels) -> float:
    """Return how far the nearest other answer is: across the limit, or the second label where one is given."""
    limit = state.scope.limit if state.scope else None
    if limit is None:
        first, second = np.sort(shares)[::-1][:2]
        return float(first - second)
    across = min(1.0, abs(sure - limit))
    inside = np.sort(shares[: state.inside])[::-1]
    return across if sure < limit or len(inside) < 2 else min(across, float(inside[0] - inside[1]))


def said(label: str, shares: Array, scores: dict[str, float], energy: float | None, state: Labels) -> dict[str, Any]:
    """Return the fields of an answer that depend on whether the function declines.

    :param label: the likeliest label in scope.
    """
    sure = sureness(shares, state, energy)
    if state.scope is None or not declines(shares, sure, state):
        return {"label": label, "labels": (label,), "score": scores[label], "in_scope": round(sure, 6)}
    named = state.scope.label
    return {
        "label": named or None, "labels": (named,) if named else (), "score": scores.get(named, scores[label]),
        "in_scope": round(sure, 6), "abstained": True,
    }  # fmt: skip


def best_limit(sure: Array, is_right: Array, is_inside: Array, answered: float) -> float | None:
    """Return the limit at which the share of right answers in scope and the share declined out of scope have the greatest sum.

    The sum does not hang on how many of dev are out of scope, which says little of how many will be (Youden 1950). Where none
    is, the limit leaves a share of dev answered.

    :param sure: (examples,) how sure the function is.
    :param is_right: (examples,) whether its likeliest label in scope is right.
    :param is_inside: (examples,) whether the example is in scope.
    :param answered: that share.
    """
    if not is_inside.any():
        return None
    if is_inside.all():
        return float(np.sort(sure)[int((1 - answered) * len(sure) + 1e-9)])
    values, place = np.unique(sure, return_inverse=True)  # upwards
    right = np.bincount(place, weights=is_right & is_inside, minlength=len(values)) / is_inside.sum()
    outside = np.bincount(place, weights=~is_inside, minlength=len(values)) / (~is_inside).sum()
    kept = np.append(right[::-1].cumsum()[::-1], 0.0)  # right answers at or above each value; none above all
    lost = np.append(0.0, outside.cumsum())
    best = int((kept + lost).argmax())
    if best == len(values):
        return float(np.nextafter(values[-1], np.inf))
    return float((values[best] + values[best - 1]) / 2) if best else float(values[0])


class Order:
    """Examples in the order of how sure a function is, as a function of which count.

    :param sure: (examples,) how sure it is.
    :param is_inside: (examples,) whether the example is in scope.
    """

    def __init__(self, sure: Array, is_inside: Array) -> None:
        values, self._place = np.unique(sure, return_inverse=True)
        self._is_inside, self._size = is_inside, len(values)

    def auroc(self, indices: Array) -> float | None:
        """Return how often an input in scope is surer than one out of it, ties as one half; None where either is lacking."""
        drawn, place = self._is_inside[indices], self._place[indices]
        inside = np.bincount(place[drawn], minlength=self._size).astype(np.float64)
        outside = np.bincount(place[~drawn], minlength=self._size).astype(np.float64)
        pairs = inside.sum() * outside.sum()
        below = outside.cumsum() - outside
        return float((inside * (below + outside / 2)).sum() / pairs) if pairs else None


def inside(right: Sequence[Sequence[str]], state: Labels) -> Array:
    """Return which examples are in scope, (examples,), by their right labels."""
    named = state.scope.label if state.scope else ""
    return np.asarray([not named or named not in labels for labels in right])
