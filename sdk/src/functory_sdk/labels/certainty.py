"""How sure a function that labels was of its answers, from what it told of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from functory.contracts.certainty import DIGITS, Certainty
from functory.contracts.rows import Array
from functory_sdk.labels import ratings, scope
from functory_sdk.labels.types import Classification, Labels


def certainty(outputs: Sequence[Classification], right: Sequence[Sequence[str]], state: Labels) -> Certainty:
    """Return how sure a function was of some examples.

    :param right: the right labels of each example.
    """
    told = [list(map(output.scores.__getitem__, state.labels)) for output in outputs]
    shares = np.asarray(told, dtype=float).reshape(-1, len(state.labels))  # (examples, labels)
    if state.mode == "multi":
        return _of_several(shares, right, state)
    place = {label: n for n, label in enumerate(state.labels)}
    golds = np.asarray([place.get(labels[0], -1) for labels in right], dtype=int)  # (examples,), -1 for a label that is not known
    given = np.asarray([chosen(one, state) for one in shares], dtype=int)
    rows = np.arange(len(outputs))
    return Certainty(
        sure=shares[rows, given],
        is_right=given == golds,
        is_open=np.asarray([not is_outside(*pair, state) for pair in zip(shares, outputs, strict=True)], dtype=bool),
        of_right=np.where(golds >= 0, shares[rows, golds], -1.0),
        set_sizes=np.asarray([len(output.prediction_set) for output in outputs], dtype=int),
        is_in_set=np.asarray([one[0] in output.prediction_set for one, output in zip(right, outputs, strict=True)], dtype=bool),
    )


def chosen(shares: Array, state: Labels) -> int:
    """Return which label is answered, where one of several is."""
    if state.mode == "binary":
        return int(shares[1] >= state.thresholds[0])
    if state.mode == "ordinal":
        return ratings.median(shares)
    return scope.surest(shares, state)


def together(shares: Array, state: Labels) -> Array:
    """Return the probability that exactly those labels are right that are given, (…,), from that of each, (…, labels)."""
    sure: Array = np.where(shares >= np.asarray(state.thresholds), shares, 1 - shares).prod(-1).round(DIGITS)
    return sure


def _of_several(shares: Array, right: Sequence[Sequence[str]], state: Labels) -> Certainty:
    """Return how sure a function was that gives any number of labels: of all together, and of each by itself."""
    wanted = np.asarray([[label in labels for label in state.labels] for labels in right], dtype=bool).reshape(shares.shape)
    is_given = shares >= np.asarray(state.thresholds)
    return Certainty(
        sure=together(shares, state),
        is_right=(is_given == wanted).all(-1),
        is_open=np.ones(len(shares), dtype=bool),
        chances=shares.ravel(),
        is_so=wanted.ravel(),
    )


def is_outside(shares: Array, output: Classification, state: Labels) -> bool:
    """Whether an input was taken for none of the labels, whatever else speaks against an answer."""
    return state.scope is not None and scope.declines(shares, getattr(output, "in_scope", 0.0), state)
