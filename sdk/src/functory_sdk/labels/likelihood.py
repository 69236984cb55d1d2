"""Labels by likelihood: a backbone that writes says how likely each label's words are after a prompt. No training at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from functory.contracts.backbone import BackboneSpec
from functory.contracts.formulation import Formulation, Target
from functory.contracts.odds import log_odds
from functory.contracts.rows import Array, Encoded, Port, Row
from functory.reading.prompts import scored_port, template_frame
from functory.reading.reader import Reader
from functory_sdk.labels.calibrating import calibrated
from functory_sdk.labels.classify import answer, gold, lead, limited
from functory_sdk.labels.metrics import best_thresholds
from functory_sdk.labels.types import Classification, LabelOptions, Labels
from functory_sdk.spans.scripts import going_on

NOTHING = "N/A"
"""The text that says nothing (Zhao et al. 2021, section 4)."""


class Likelihood(Formulation):
    """A row for each label: the prompt with the texts, then the label's words, whose log-probability is the row's output.

    Where labels may be several, each is a yes or no of its own: whether the texts make its words likelier than none do.

    :param options: the prompt, the labels' words, and whether their likelihood without any text is subtracted.
    :param fields: the texts that stand in the prompt.
    :param readings_of: the texts of an input by field; several readings, of which the mean counts, where they have no order.
    :param labels_of: the right labels of an example.
    :raises OptionError: for a prompt without a place for a text.
    """

    head: ClassVar[str] = "functory_sdk.torch:LikelihoodHead"

    def __init__(
        self,
        options: LabelOptions,
        fields: Sequence[str],
        readings_of: Callable[[Any], Sequence[Mapping[str, str]]],
        labels_of: Callable[[Any], Sequence[str]],
    ) -> None:
        self.options = options
        self._frame = template_frame(options.prompt, fields)
        self._readings_of, self._labels_of = readings_of, labels_of

    def inputs(self, spec: BackboneSpec, state: Labels) -> tuple[Port, ...]:
        return (scored_port(spec),)

    def outputs(self, spec: BackboneSpec, state: Labels) -> tuple[Port, ...]:
        return (Port("log_probability", "float32"),)

    def encode(self, inputs: Sequence[Any], reader: Reader, state: Labels) -> Encoded:
        labels = [tokens.ids for tokens in reader.tokenizer.tokens([self._words(label) for label in state.labels])]
        readings = [[tuple(one[name] for name in self._frame.fields) for one in self._readings_of(value)] for value in inputs]
        silent = (NOTHING,) * len(self._frame.fields)
        texts = [*(one for several in readings for one in several), silent]
        *prompts, nothing = reader.prompts(texts, self._frame, spare=max(map(len, labels)))
        read, encoded = iter(prompts), Encoded(rows=[], owner=[], side=[])
        for index, several in enumerate(readings):
            own = [next(read) for _ in several]
            asked = [*own, nothing] if self._is_calibrated(state) else own
            encoded.rows += [reader.written(one.ids, label) for one in asked for label in labels]
            encoded.owner += [index] * len(asked) * len(labels)
            encoded.side.append(own[0].notes)
        return encoded

    def decode(self, side: tuple[str, ...], outputs: Sequence[Row], state: Labels) -> Classification:
        return answer(np.exp(self._shares(outputs, state)), state, side, self._energy(outputs, state))

    def lead(self, side: object, outputs: Sequence[Row], state: Labels) -> float:
        """How far the two likeliest labels are apart, or the nearest probability from its threshold."""
        return lead(np.exp(self._shares(outputs, state)), state, self._energy(outputs, state))

    def calibrate(
        self, sides: Sequence[Any], outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Labels
    ) -> Labels:
        """Choose the temperature at which the right labels are likeliest."""
        scores = np.stack([self._scores(rows, state) for rows in outputs])
        right = [self._labels_of(example) for example in examples]
        return calibrated(lambda temperature: np.exp(_shares(scores / temperature, state)), right, state)

    def tune(
        self, sides: Sequence[Any], outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Labels
    ) -> Labels:
        """Choose each threshold where the label's F1 on held-out examples is best; the limit below which nothing is answered."""
        if state.scope:
            found = [(np.exp(self._shares(rows, state)), self._energy(rows, state)) for rows in outputs]
            return limited(found, [self._labels_of(example) for example in examples], state)
        if state.is_one:
            return state
        given = np.exp(np.stack([self._shares(rows, state) for rows in outputs]))
        wanted = np.stack([gold(self._labels_of(example), state) for example in examples])
        return state.model_copy(update={"thresholds": best_thresholds(given[:, -wanted.shape[1] :], wanted)})

    def targets(self, output: Classification, side: object, state: Labels) -> list[Target]:
        order = sorted(state.labels, key=lambda label: -output.scores[label])
        return [
            Target(name=label, port="log_probability", index=(), row=state.labels.index(label), scale="log")
            for label in order
        ]

    def value(self, target: Target, side: object, outputs: Sequence[Row], state: Labels) -> float:
        """The log-probability of the label: what its score is."""
        return float(self._shares(outputs, state)[target.row or 0])

    def evidence(self, target: Target, side: object, outputs: Sequence[Row], state: Labels) -> float:
        """The log-odds of the label, against the others where one of them is right."""
        if state.mode == "multi":
            return float(self._scores(outputs, state)[target.row or 0]) / state.temperature
        return log_odds(self._shares(outputs, state), (target.row or 0,))

    def _words(self, label: str) -> str:
        """Return what is written for a label."""
        return going_on(self.options.descriptions.get(label, label))

    def _is_calibrated(self, state: Labels) -> bool:
        return self.options.calibrate or state.mode == "multi"

    def _scores(self, outputs: Sequence[Row], state: Labels) -> Array:
        """Return how likely each label is, (labels,): the mean over the readings, from which that of no text is subtracted."""
        values = np.asarray([float(output["log_probability"]) for output in outputs]).reshape(-1, len(state.labels))
        scores: Array = values[:-1].mean(0) - values[-1] if self._is_calibrated(state) else values.mean(0)
        return scores

    def _energy(self, outputs: Sequence[Row], state: Labels) -> float | None:
        """Return the energy of the labels' likelihoods, where a function goes by it."""
        if not (state.scope and state.scope.by == "energy"):
            return None
        return float(np.logaddexp.reduce(self._scores(outputs, state)[: state.inside]))

    def _shares(self, outputs: Sequence[Row], state: Labels) -> Array:
        """Return the log-probability of each label, (labels,): among them all, or of its own where there may be several."""
        return _shares(self._scores(outputs, state) / state.temperature, state)


def _shares(scores: Array, state: Labels) -> Array:
    """Return log-probabilities, (…, labels), from how likely each label is."""
    whole = np.logaddexp(scores, 0) if state.mode == "multi" else np.logaddexp.reduce(scores, axis=-1, keepdims=True)
    shares: Array = scores - whole
    return shares
