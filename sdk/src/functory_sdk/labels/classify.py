"""Classification of features: each window of what is read is a row; its label is what the head was fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from functory.contracts.backbone import BackboneSpec
from functory.contracts.formulation import Formulation, Target
from functory.contracts.rows import Array, Encoded, Port, Row
from functory.reading.reader import Reader
from functory_sdk.labels import paths, ratings, scope
from functory_sdk.labels.calibrating import calibrated, tempered
from functory_sdk.labels.certainty import chosen
from functory_sdk.labels.metrics import best_thresholds
from functory_sdk.labels.named import named
from functory_sdk.labels.promised import distance, promised
from functory_sdk.labels.types import Classification, Labels, output_type
from functory_sdk.temperature import mean_of_rows

PASSED_OVER = -100
"""The gold of an example that has none of the labels: the loss passes over it."""


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
        return (Port("scores", "float32", (width(state),)), *(Port(name, "float32") for name in beside(state)))

    def gold_ports(self, spec: BackboneSpec, state: Labels) -> tuple[Port, ...]:
        return (Port("gold", "int64") if state.is_one else Port("gold", "float32", (width(state),)),)

    def encode(self, inputs: Sequence[Any], reader: Reader, state: Labels) -> Encoded:
        return self._rows_of(inputs, reader)

    def label(self, examples: Sequence[Any], encoded: Encoded, state: Labels) -> list[dict[str, Array]]:
        golds = [gold(self._labels_of(example), state) for example in examples]
        return [{"gold": golds[index]} for index in encoded.owner]

    def decode(self, side: tuple[str, ...], outputs: Sequence[Row], state: Labels) -> Classification:
        outputs = tempered(outputs, state)
        return answer(_shares(outputs, state), state, side, _beside(outputs, state))

    def lead(self, side: object, outputs: Sequence[Row], state: Labels) -> float:
        """How far the two likeliest labels are apart, or the nearest probability from its threshold."""
        outputs = tempered(outputs, state)
        return lead(_shares(outputs, state), state, _beside(outputs, state))

    def calibrate(
        self, sides: Sequence[Any], outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Labels
    ) -> Labels:
        """Choose the temperature at which the right labels are likeliest."""
        scores = np.concatenate([[np.asarray(row["scores"], dtype=np.float64) for row in rows] for rows in outputs])
        counts = [len(rows) for rows in outputs]

        def shares_at(temperature: float) -> Array:
            return mean_of_rows(probabilities(scores / temperature, state), counts)

        return calibrated(shares_at, [self._labels_of(example) for example in examples], state)

    def tune(
        self, sides: Sequence[Any], outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Labels
    ) -> Labels:
        """Choose each threshold where the label's F1 on held-out examples is best; the limit below which nothing is answered."""
        outputs = [tempered(rows, state) for rows in outputs]
        if state.scope:
            found = [(_shares(rows, state), _beside(rows, state)) for rows in outputs]
            return limited(found, [self._labels_of(example) for example in examples], state)
        if state.is_one:
            return state
        given = np.stack([self._sigmoids(rows, state) for rows in outputs])
        wanted = np.stack([gold(self._labels_of(example), state) for example in examples])
        return state.model_copy(update={"thresholds": best_thresholds(given, wanted)})

    def _sigmoids(self, outputs: Sequence[Row], state: Labels) -> Array:
        """Return the probabilities that thresholds are put to, one for a binary function."""
        scores = np.stack([np.asarray(output["scores"], dtype=np.float64) for output in outputs])
        mean: Array = _sigmoid(scores).mean(0)
        return mean

    def value(self, target: Target, side: object, outputs: Sequence[Row], state: Labels) -> float:
        """A label's number at the temperature of the scores: what they are made of."""
        return super().value(target, side, tempered(outputs, state), state)

    def evidence(self, target: Target, side: object, outputs: Sequence[Row], state: Labels) -> float:
        """Likewise, where what speaks for it adds up."""
        return super().evidence(target, side, tempered(outputs, state), state)

    def targets(self, output: Classification, side: object, state: Labels) -> list[Target]:
        order = sorted(state.labels, key=lambda label: -output.scores[label])
        if state.mode == "binary":
            return [Target(name=state.labels[1], port="scores", index=(0,), scale="logit")]
        scale = "log" if state.is_one else "logit"
        places = {label: place for place, label in enumerate(state.labels)}
        each = [Target(name=label, port="scores", index=(places[label],), scale=scale) for label in order]
        numbers = [Target(name="in_scope" if name == "energy" else name, port=name, index=()) for name in beside(state)]
        return [*numbers, *each] if state.mode == "ordinal" else [*each, *numbers]


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
    if state.is_one:
        place = state.labels.index(labels[0]) if labels[0] in state.labels else PASSED_OVER
        return np.asarray(place, dtype=np.int64)
    names = state.labels[1:] if state.mode == "binary" else state.labels
    return np.asarray([name in labels for name in names], dtype=np.float32)


def probabilities(scores: Array, state: Labels) -> Array:
    """Return the probability of each label, (rows, labels), from scores (rows, width)."""
    if state.is_one:
        stable = np.exp(scores - scores.max(-1, keepdims=True))
        shares: Array = stable / stable.sum(-1, keepdims=True)
        return shares
    given = _sigmoid(scores)
    return np.concatenate([1 - given, given], axis=-1) if state.mode == "binary" else given


def _sigmoid(scores: Array) -> Array:
    shares: Array = 0.5 * (1 + np.tanh(0.5 * scores))
    return shares


def beside(state: Labels) -> tuple[str, ...]:
    """Return the names of the numbers that a head gives beside the scores."""
    energy = ("energy",) if state.scope and state.scope.by == "energy" else ()
    return ("value",) if state.mode == "ordinal" else energy


def _shares(outputs: Sequence[Row], state: Labels) -> Array:
    """Return the probability of each label for one input, (labels,): the mean over its rows."""
    scores = np.stack([np.asarray(output["scores"], dtype=np.float64) for output in outputs])
    shares: Array = probabilities(scores, state).mean(0)
    return shares


def _beside(outputs: Sequence[Row], state: Labels) -> float | None:
    """Return the number beside the scores for one input, the mean over its rows; None where there is none."""
    names = beside(state)
    return float(np.mean([output[names[0]] for output in outputs])) if names else None


def answer(shares: Array, state: Labels, notes: tuple[str, ...], number: float | None = None) -> Classification:
    """Return the output for the probabilities of the labels, (labels,).

    :param number: what the head gives beside them, where it does: the expected rating, the energy.
    """
    scores = named(state.labels, shares)
    if state.mode == "multi":
        given = [i for i, limit in enumerate(state.thresholds) if shares[i] >= limit]
        best = max(given, key=lambda i: shares[i]) if given else None
        labels = tuple(state.labels[i] for i in given)
        score = scores[state.labels[best]] if best is not None else max(scores.values())
        made = Classification(
            label=None if best is None else state.labels[best], score=score, scores=scores, labels=labels, notes=notes
        )
        return promised(made, state)
    label = state.labels[chosen(shares, state)]
    fields: dict[str, Any] = {"label": label, "labels": (label,), "score": scores[label], "scores": scores, "notes": notes}
    if state.scope:
        fields |= scope.said(label, shares, scores, number, state)
    if state.mode == "path":
        fields["path"] = paths.steps(fields["label"], state.separator) if fields["label"] else ()
        fields["levels"] = paths.levels(shares, state)
    if state.mode == "ordinal":
        fields["value"] = round(ratings.expected(shares, state) if number is None else number, 6)
    return promised(output_type(state.mode, is_scoped=state.scope is not None)(**fields), state)


def constant(label: str, given: tuple[str, ...], state: Labels) -> Classification:
    """Return the output of a function that reads nothing and answers one label.

    :param label: that label; `given` the labels that it answers, which may be none.
    """
    fields: dict[str, Any] = {"label": label, "score": 1.0, "scores": {}, "labels": given}
    if state.scope:
        is_outside = label == state.scope.label
        fields |= {"in_scope": float(not is_outside), "abstained": is_outside}
    if state.mode == "path":
        fields["path"] = paths.steps(label, state.separator)
    if state.mode == "ordinal":
        fields["value"] = state.numbers[state.labels.index(label)]
    return output_type(state.mode, is_scoped=state.scope is not None)(**fields)


def lead(shares: Array, state: Labels, number: float | None = None) -> float:
    """Return how far the nearest other answer is, as a difference of probabilities.

    :param number: as in `answer`.
    """
    apart = _lead(shares, state, number)
    return min(apart, distance(answer(shares, state, (), number), state)) if state.abstaining or state.sets else apart


def _lead(shares: Array, state: Labels, number: float | None) -> float:
    """Return the same, whatever is promised."""
    if state.mode == "ordinal":
        return ratings.lead(shares)
    if state.scope:
        return scope.lead(shares, scope.sureness(shares, state, number), state)
    first, second = np.sort(shares)[::-1][:2]
    if state.is_one:
        return float(first - second)
    thresholded = shares[1:] if state.mode == "binary" else shares
    nearest = float(np.abs(thresholded - np.asarray(state.thresholds)).min())
    return min(nearest, float(first - second)) if state.mode == "multi" else nearest


def limited(found: Sequence[tuple[Array, float | None]], right: Sequence[Sequence[str]], state: Labels) -> Labels:
    """Return the state with the limit below which nothing is answered, where held-out examples show it best.

    :param found: the probabilities of the labels and what the head gives beside them, of each example.
    :param right: the right labels of each.
    """
    if state.scope is None or not found:
        return state
    sure = np.asarray([scope.sureness(shares, state, number) for shares, number in found])
    is_right = np.asarray(
        [state.labels[scope.surest(shares, state)] in labels for (shares, _), labels in zip(found, right, strict=True)]
    )
    limit = scope.best_limit(sure, is_right, scope.inside(right, state), state.scope.answered)
    return state.model_copy(update={"scope": state.scope.model_copy(update={"limit": limit})})
