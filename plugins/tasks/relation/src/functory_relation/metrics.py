"""How well: the F1 of relations in which a direction that is wrong is wrong, and two unrelated spans are no relation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from functory_relation.relate import relation_of
from functory_relation.types import nothing_of
from functory_sdk import Array, Classification, Labels, Scorer, Tally

METRICS: Mapping[str, str] = {
    "macro_f1": "the mean of the relations' F1 without the label of none: both directions are one relation, right in its own "
    "direction alone (the score of SemEval-2010 task 8)",
    "micro_f1": "the F1 of all relations given, counted together, without the label of none",
    "precision": "how many of the relations that were given are right",
    "recall": "how many of those that are there were given",
    "accuracy": "the share of pairs whose label is right, that of none included",
}


def scorer(outputs: Sequence[Classification], right: Sequence[str], state: Labels) -> Scorer:
    """Return the metrics as a function of which examples count."""
    tally, _ = _tally(outputs, right, state)
    is_right = np.asarray([output.label == label for output, label in zip(outputs, right, strict=True)], dtype=float)

    def score(indices: Array) -> Mapping[str, float]:
        rates = tally.together(indices)
        return {
            "macro_f1": tally.macro_f1(indices),
            "micro_f1": float(rates.f1),
            "precision": float(rates.precision),
            "recall": float(rates.recall),
            "accuracy": float(is_right[indices].mean()),
        }

    return score


def per_relation(outputs: Sequence[Classification], right: Sequence[str], state: Labels) -> list[dict[str, Any]]:
    """Return precision, recall, F1 and support of each relation, both directions together."""
    tally, names = _tally(outputs, right, state)
    return tally.rows(names)


def _tally(outputs: Sequence[Classification], right: Sequence[str], state: Labels) -> tuple[Tally, list[str]]:
    """Return the counts by relation, and the relations' names."""
    names = list(dict.fromkeys(relation_of(label)[0] for label in state.labels if label != nothing_of(state)))
    places = {name: place for place, name in enumerate(names)}

    def place(label: str | None) -> list[int]:
        return [] if label is None or label == nothing_of(state) else [places[relation_of(label)[0]]]

    said, true = [place(output.label) for output in outputs], [place(label) for label in right]
    both = [one if output.label == label else [] for one, output, label in zip(true, outputs, right, strict=True)]
    return Tally(both, said, true, len(names)), names
