"""How well: accuracy and F1 from counts, so that a thousand resamples cost milliseconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from functory.contracts.rows import Array
from functory.contracts.task import Scorer
from functory_sdk.labels.types import Classification, Labels
from functory_sdk.tally import Tally


def scorer(outputs: Sequence[Classification], right: Sequence[Sequence[str]], state: Labels) -> Scorer:
    """Return the metrics as a function of which examples count.

    :param right: the right labels of each example.
    """
    given, wanted = [output.labels for output in outputs], right
    tally = _tally(given, wanted, state)
    all_right = np.asarray([{*one} == {*other} for one, other in zip(given, wanted, strict=True)])

    def score(indices: Array) -> Mapping[str, float]:
        metrics = {"accuracy": float(all_right[indices].mean()), "macro_f1": tally.macro_f1(indices)}
        if state.mode == "binary":
            rates = tally.each(indices)
            metrics |= {name: float(getattr(rates, name)[1]) for name in ("f1", "precision", "recall")}
        if state.mode == "multi":
            metrics["micro_f1"] = float(tally.together(indices).f1)
        return metrics

    return score


def breakdown(outputs: Sequence[Classification], right: Sequence[Sequence[str]], state: Labels) -> Mapping[str, Any]:
    """Return precision, recall, F1 and support of each label, and the confusion matrix where one label is right."""
    given = [output.labels for output in outputs]
    rows = _tally(given, right, state).rows(state.labels)
    if state.mode == "multi":
        return {"per_class": rows}
    place = {label: i for i, label in enumerate(state.labels)}
    pairs = Counter((place[one[0]], place[other[0]]) for one, other in zip(right, given, strict=True))
    counts = [[true, said, count] for (true, said), count in sorted(pairs.items())]
    return {"per_class": rows, "confusion": {"labels": list(state.labels), "counts": counts}}


def _tally(given: Sequence[Sequence[str]], wanted: Sequence[Sequence[str]], state: Labels) -> Tally:
    """Return what was given, what is wanted, and what is both."""
    place = {label: i for i, label in enumerate(state.labels)}
    said, true = ([[place[label] for label in dict.fromkeys(labels)] for labels in some] for some in (given, wanted))
    both = [[label for label in one if label in other] for one, other in zip(said, true, strict=True)]
    return Tally(both, said, true, len(place))


def best_thresholds(given: Array, wanted: Array) -> tuple[float, ...]:
    """Return, for each score, the threshold with the best F1.

    :param given: (examples, scores) probabilities.
    :param wanted: (examples, scores) 0 or 1.
    """
    return tuple(_best_threshold(given[:, i], wanted[:, i]) for i in range(given.shape[1]))


def _best_threshold(given: Array, wanted: Array) -> float:
    """Return the middle between the two neighbouring scores where F1 is best; 0.5 where nothing can be learned."""
    if not wanted.any():
        return 0.5
    order = np.argsort(-given, kind="stable")
    hits = np.cumsum(wanted[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + wanted.sum())
    last = np.append(given[order][1:] < given[order][:-1], True)  # ties are given together
    best = int(np.where(last, f1, -1).argmax())
    below = given[order][best + 1] if best + 1 < len(order) else 0.0
    return float((given[order][best] + below) / 2)
