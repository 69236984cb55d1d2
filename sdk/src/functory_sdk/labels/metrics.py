"""How well: accuracy and F1 from counts, so that a thousand resamples cost milliseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from functory.contracts.rows import Array
from functory.contracts.task import Scorer
from functory_sdk.labels.types import Classification, Labels


def scorer(outputs: Sequence[Classification], right: Sequence[Sequence[str]], state: Labels) -> Scorer:
    """Return the metrics as a function of which examples count.

    :param right: the right labels of each example.
    """
    given, wanted = _marks([output.labels for output in outputs], state), _marks(right, state)
    all_right = (given == wanted).all(1)

    def score(indices: Array) -> Mapping[str, float]:
        hit = (given[indices] & wanted[indices]).sum(0)
        said, true = given[indices].sum(0), wanted[indices].sum(0)
        each = _f1(hit, said, true)
        seen = (said + true) > 0
        metrics = {
            "accuracy": float(all_right[indices].mean()),
            "macro_f1": float(each[seen].mean()) if seen.any() else 0.0,
        }
        if state.mode == "binary":
            metrics |= {
                "f1": float(each[1]),
                "precision": float(hit[1] / max(1, said[1])),
                "recall": float(hit[1] / max(1, true[1])),
            }
        if state.mode == "multi":
            metrics["micro_f1"] = float(_f1(hit.sum(), said.sum(), true.sum()))
        return metrics

    return score


def breakdown(outputs: Sequence[Classification], right: Sequence[Sequence[str]], state: Labels) -> Mapping[str, Any]:
    """Return precision, recall, F1 and support of each label, and the confusion matrix where one label is right."""
    given, wanted = _marks([output.labels for output in outputs], state), _marks(right, state)
    hit, said, true = (given & wanted).sum(0), given.sum(0), wanted.sum(0)
    rows = [
        {
            "label": label,
            "precision": float(hit[i] / max(1, said[i])),
            "recall": float(hit[i] / max(1, true[i])),
            "f1": float(_f1(hit[i], said[i], true[i])),
            "support": int(true[i]),
        }
        for i, label in enumerate(state.labels)
    ]
    if state.mode == "multi":
        return {"per_class": rows}
    matrix = np.zeros((len(state.labels), len(state.labels)), dtype=int)
    np.add.at(matrix, (wanted.argmax(1), given.argmax(1)), 1)
    return {"per_class": rows, "confusion": {"labels": list(state.labels), "matrix": matrix.tolist()}}


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


def _marks(labels: Sequence[Sequence[str]], state: Labels) -> Array:
    """Return (examples, labels) bool: who has which."""
    place = {label: i for i, label in enumerate(state.labels)}
    marks = np.zeros((len(labels), len(place)), dtype=bool)
    for row, names in enumerate(labels):
        for name in names:
            marks[row, place[name]] = True
    return marks


def _f1(hit: Array, said: Array, true: Array) -> Array:
    f1: Array = 2 * hit / np.maximum(1, said + true)
    return f1
