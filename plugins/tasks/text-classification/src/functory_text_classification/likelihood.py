"""Classification by likelihood: a decoder says how likely each label's words are after the text. No training at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from functory_sdk import (
    Array,
    BackboneSpec,
    Classification,
    Encoded,
    Formulation,
    Labels,
    Port,
    Reader,
    Row,
    Target,
    log_odds,
    scored_port,
    template_frame,
)
from functory_sdk.labels.classify import answer, lead, limited
from functory_text_classification.types import ClassificationOptions, Text

NOTHING = "N/A"
"""The text that says nothing (Zhao et al. 2021, section 4)."""


class Likelihood(Formulation):
    """One row per label: the prompt with the text, then the label's words, whose log-probability is the row's output.

    :param labels_of: the right labels of an example.
    :raises OptionError: for a prompt without a place for the text.
    """

    head: ClassVar[str] = "functory_sdk.torch:LikelihoodHead"

    def __init__(self, options: ClassificationOptions, labels_of: Callable[[Any], Sequence[str]]) -> None:
        self.options, self._labels_of = options, labels_of
        self._frame = template_frame(options.prompt, ("text",))

    def inputs(self, spec: BackboneSpec, state: Labels) -> tuple[Port, ...]:
        return (scored_port(spec),)

    def outputs(self, spec: BackboneSpec, state: Labels) -> tuple[Port, ...]:
        return (Port("log_probability", "float32"),)

    def encode(self, inputs: Sequence[Text], reader: Reader, state: Labels) -> Encoded:
        words = [f" {self.options.descriptions.get(label, label)}" for label in state.labels]
        labels = [tokens.ids for tokens in reader.tokenizer.tokens(words)]
        texts = [*(value.text for value in inputs), NOTHING]
        *prompts, nothing = reader.prompts(texts, self._frame, spare=max(map(len, labels)))
        encoded = Encoded(rows=[], owner=[], side=[prompt.notes for prompt in prompts])
        for index, prompt in enumerate(prompts):
            asked = (prompt, nothing) if self.options.calibrate else (prompt,)
            encoded.rows += [reader.written(one.ids, label) for one in asked for label in labels]
            encoded.owner += [index] * len(asked) * len(labels)
        return encoded

    def decode(self, side: tuple[str, ...], outputs: Sequence[Row], state: Labels) -> Classification:
        return answer(np.exp(self._shares(outputs, state)), _one_of(state), side, self._energy(outputs, state))

    def lead(self, side: object, outputs: Sequence[Row], state: Labels) -> float:
        """How far the nearest other answer is."""
        return lead(np.exp(self._shares(outputs, state)), _one_of(state), self._energy(outputs, state))

    def tune(self, outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Labels) -> Labels:
        """Choose the limit below which nothing is answered, where the function may decline."""
        found = [(np.exp(self._shares(rows, state)), self._energy(rows, state)) for rows in outputs]
        return limited(found, [self._labels_of(example) for example in examples], state)

    def _shares(self, outputs: Sequence[Row], state: Labels) -> Array:
        """Return the log-probability of each label among them all, (labels,)."""
        scores = self._scores(outputs, state)
        shares: Array = scores - np.logaddexp.reduce(scores)
        return shares

    def _energy(self, outputs: Sequence[Row], state: Labels) -> float | None:
        """Return the energy of the labels' likelihoods, where a function goes by it."""
        if not (state.scope and state.scope.by == "energy"):
            return None
        return float(np.logaddexp.reduce(self._scores(outputs, state)[: state.inside]))

    def _scores(self, outputs: Sequence[Row], state: Labels) -> Array:
        """Return how likely each label's words are, (labels,), as logarithms."""
        values = np.asarray([float(output["log_probability"]) for output in outputs]).reshape(-1, len(state.labels))
        scores: Array = values[0] - values[1] if self.options.calibrate else values[0]
        return scores

    def targets(self, output: Classification, side: object, state: Labels) -> list[Target]:
        order = sorted(state.labels, key=lambda label: -output.scores[label])
        return [
            Target(name=label, port="log_probability", index=(), row=state.labels.index(label), scale="log")
            for label in order
        ]

    def value(self, target: Target, side: object, outputs: Sequence[Row], state: Labels) -> float:
        """The log-probability of the label among them all: what its score is."""
        return float(self._shares(outputs, state)[target.row or 0])

    def evidence(self, target: Target, side: object, outputs: Sequence[Row], state: Labels) -> float:
        """The log-odds of the label against the others."""
        return log_odds(self._shares(outputs, state), (target.row or 0,))


def _one_of(state: Labels) -> Labels:
    """Return a state by which one label is answered, whatever its mode: likelihoods share one whole."""
    return state if state.is_one else state.model_copy(update={"mode": "single"})
