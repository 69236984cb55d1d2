"""Classification of features: each window of what is read is a row; its label is what the head was fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from functory.contracts.backbone import BackboneSpec
from functory.contracts.rows import Array, Encoded, Port, Row
from functory.contracts.task import Formulation, Target
from functory.reading.reader import Reader
from functory_sdk.labels.metrics import best_thresholds
from functory_sdk.labels.types import Classification, Labels


class Classify(Formulation):
    """A linear head on pooled features. Long texts are read in windows and their scores averaged.

    :param rows_of: the rows of some inputs, whatever they consist of; kept of each is what its output should say.
    :param labels_of: the right labels of an example.
    """

    head: ClassVar[str] = "functory_sdk.torch:ClassifierHead"

    def __init__(
        self, rows_of: Callable[[Sequence[Any], Reader], Encoded], labels_of: Callable[[Any], Sequence[str]]
    ) -> None:
        self._rows_of, self._labels_of = rows_of, labels_of

    def outputs(self, spec: BackboneSpec, state: Labels) -> tuple[Port, ...]:
        return (Port("scores", "float32", (width(state),)),)

    def gold_ports(self, spec: BackboneSpec, state: Labels) -> tuple[Port, ...]:
        return (Port("gold", "int64") if state.mode == "single" else Port("gold", "float32", (width(state),)),)

    def encode(self, inputs: Sequence[Any], reader: Reader, state: Labels) -> Encoded:
        return self._rows_of(inputs, reader)

    def label(self, examples: Sequence[Any], encoded: Encoded, state: Labels) -> list[dict[str, Array]]:
        golds = [gold(self._labels_of(example), state) for example in examples]
        return [{"gold": golds[index]} for index in encoded.owner]

    def decode(self, side: tuple[str, ...], outputs: Sequence[Row], state: Labels) -> Classification:
        scores = np.stack([np.asarray(output["scores"], dtype=np.float64) for output in outputs])
        return answer(probabilities(scores, state).mean(0), state, side)

    def lead(self, side: object, outputs: Sequence[Row], state: Labels) -> float:
        """How far the two likeliest labels are apart, or the nearest probability from its threshold."""
        return lead(probabilities(np.stack([row["scores"] for row in outputs]).astype(np.float64), state).mean(0), state)

    def tune(
        self, sides: Sequence[Any], outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Labels
    ) -> Labels:
        """Choose each threshold where the label's F1 on held-out examples is best."""
        if state.mode == "single":
            return state
        given = np.stack([self._sigmoids(rows, state) for rows in outputs])
        wanted = np.stack([gold(self._labels_of(example), state) for example in examples])
        return state.model_copy(update={"thresholds": best_thresholds(given, wanted)})

    def _sigmoids(self, outputs: Sequence[Row], state: Labels) -> Array:
        """Return the probabilities that thresholds are put to, one for a binary function."""
        scores = np.stack([np.asarray(output["scores"], dtype=np.float64) for output in outputs])
        mean: Array = _sigmoid(scores).mean(0)
        return mean

    def targets(self, output: Classification, side: object, state: Labels) -> list[Target]:
        order = sorted(state.labels, key=lambda label: -output.scores[label])
        if state.mode == "binary":
            return [Target(name=state.labels[1], port="scores", index=(0,), scale="logit")]
        scale = "log" if state.mode == "single" else "logit"
        return [Target(name=label, port="scores", index=(state.labels.index(label),), scale=scale) for label in order]


class ClassifyVectors(Classify):
    """A map of two texts' vectors, each read by itself, and of how they differ."""

    head: ClassVar[str] = "functory_sdk.torch:PairedHead"
    texts = 2


class ClassifySymmetric(ClassifyVectors):
    """As `ClassifyVectors`, and the same whichever of the two texts comes first."""

    head: ClassVar[str] = "functory_sdk.torch:SymmetricHead"


def width(state: Labels) -> int:
    """Return how many scores the head gives: one per label, one alone for a binary function."""
    return 1 if state.mode == "binary" else len(state.labels)


def gold(labels: Sequence[str], state: Labels) -> Array:
    """Return the gold array of an example's right labels: the label's number (single), or one 0 or 1 per score."""
    if state.mode == "single":
        return np.asarray(state.labels.index(labels[0]), dtype=np.int64)
    names = state.labels[1:] if state.mode == "binary" else state.labels
    return np.asarray([name in labels for name in names], dtype=np.float32)


def probabilities(scores: Array, state: Labels) -> Array:
    """Return the probability of each label, (rows, labels), from scores (rows, width)."""
    if state.mode == "single":
        stable = np.exp(scores - scores.max(-1, keepdims=True))
        shares: Array = stable / stable.sum(-1, keepdims=True)
        return shares
    given = _sigmoid(scores)
    return np.concatenate([1 - given, given], axis=-1) if state.mode == "binary" else given


def _sigmoid(scores: Array) -> Array:
    shares: Array = 0.5 * (1 + np.tanh(0.5 * scores))
    return shares


def lead(shares: Array, state: Labels) -> float:
    """Return by how much an answer leads the nearest other one, from the probabilities of the labels, (labels,)."""
    first, second = np.sort(shares)[::-1][:2]
    if state.mode == "single":
        return float(first - second)
    thresholded = shares[1:] if state.mode == "binary" else shares
    beside = float(np.abs(thresholded - np.asarray(state.thresholds)).min())
    return min(beside, float(first - second)) if state.mode == "multi" else beside


def answer(shares: Array, state: Labels, notes: tuple[str, ...]) -> Classification:
    """Return the output for the probabilities of the labels, (labels,)."""
    scores = {label: round(float(share), 6) for label, share in zip(state.labels, shares, strict=True)}
    if state.mode == "multi":
        given = [i for i, limit in enumerate(state.thresholds) if shares[i] >= limit]
        best = max(given, key=lambda i: shares[i]) if given else None
        labels = tuple(state.labels[i] for i in given)
        score = scores[state.labels[best]] if best is not None else max(scores.values())
        return Classification(
            label=None if best is None else state.labels[best], score=score, scores=scores, labels=labels, notes=notes
        )
    chosen = int(shares[1] >= state.thresholds[0]) if state.mode == "binary" else int(shares.argmax())
    label = state.labels[chosen]
    return Classification(label=label, score=scores[label], scores=scores, labels=(label,), notes=notes)
