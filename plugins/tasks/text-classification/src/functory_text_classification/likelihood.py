"""Classification by likelihood: a decoder says how likely each label's words are after the text. No training at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from functory_sdk import (
    Array,
    BackboneSpec,
    Classification,
    Encoded,
    Formulation,
    Labels,
    OptionError,
    Port,
    Reader,
    Row,
    Target,
    TooLong,
    log_odds,
)
from functory_sdk.labels.classify import answer
from functory_text_classification.types import ClassificationOptions, Text

NOTHING = "N/A"
"""The text that says nothing (Zhao et al. 2021, section 4)."""


class Likelihood(Formulation):
    """One row per label: the prompt with the text, then the label's words, whose log-probability is the row's output.

    :raises OptionError: for a prompt without a place for the text.
    """

    head: ClassVar[str] = "functory_sdk.torch:LikelihoodHead"

    def __init__(self, options: ClassificationOptions) -> None:
        self.options = options
        before, found, after = options.prompt.partition("{text}")
        if not found:
            raise OptionError(
                f"prompt = {options.prompt!r} has no {{text}}.", do="say where the text goes: '{text} It is'."
            )
        self._before, self._after = before, after

    def inputs(self, spec: BackboneSpec, state: Labels) -> tuple[Port, ...]:
        return (Port("scored", "int64", ("tokens",), 0),)

    def outputs(self, spec: BackboneSpec, state: Labels) -> tuple[Port, ...]:
        return (Port("log_probability", "float32"),)

    def encode(self, inputs: Sequence[Text], reader: Reader, state: Labels) -> Encoded:
        before, after, *labels = [
            tokens.ids
            for tokens in reader.tokenizer.tokens(
                [
                    self._before,
                    self._after,
                    *(f" {self.options.descriptions.get(label, label)}" for label in state.labels),
                ]
            )
        ]
        texts = [value.text for value in inputs] + [NOTHING]
        *contents, nothing = [tokens.ids for tokens in reader.tokenizer.tokens(texts)]
        frame = [reader.tokenizer.frame[0], before]
        room = max(0, reader.max_tokens - sum(map(len, frame)) - len(after) - max(map(len, labels)))
        encoded = Encoded(rows=[], owner=[], side=[])
        for index, content in enumerate(contents):
            notes = (f"cut at {room} tokens",) if len(content) > room else ()
            if notes and reader.long_text == "refuse":
                raise TooLong(
                    f"a text has {len(content)} tokens; {room} fit beside the prompt and the labels.",
                    do='shorten it, or build the function with long_text = "cut".',
                )
            for ids in (content[:room], nothing) if self.options.calibrate else (content[:room],):
                for label in labels:
                    encoded.rows.append(_row(reader, np.concatenate([*frame, ids, after]), label))
                    encoded.owner.append(index)
            encoded.side.append(notes)
        return encoded

    def decode(self, side: tuple[str, ...], outputs: Sequence[Row], state: Labels) -> Classification:
        return answer(np.exp(self._shares(outputs, state)), state.model_copy(update={"mode": "single"}), side)

    def _shares(self, outputs: Sequence[Row], state: Labels) -> Array:
        """Return the log-probability of each label among them all, (labels,)."""
        values = np.asarray([float(output["log_probability"]) for output in outputs]).reshape(-1, len(state.labels))
        scores = values[0] - values[1] if self.options.calibrate else values[0]
        shares: Array = scores - np.logaddexp.reduce(scores)
        return shares

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


def _row(reader: Reader, prompt: Array, label: Array) -> dict[str, Array]:
    """Return prompt and label as one row, with the label's tokens marked."""
    row = reader.row(np.concatenate([prompt, label]))
    scored = np.zeros(len(prompt) + len(label), dtype=np.int64)
    scored[len(prompt) :] = 1
    return {**row, "scored": scored}
