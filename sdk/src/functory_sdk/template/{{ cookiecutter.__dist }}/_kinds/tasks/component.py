"""The task: a text → a number, such as stars. Types, state, metrics and the formulation; the head is in head.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from functory_sdk import (
    Array, BackboneSpec, Encoded, Formulation, Input, NoOptions, Output, Port, Reader, Row, Scorer, State, Target, Task,
)  # fmt: skip
from pydantic import Field


class Text(Input):
    """A text to rate."""

    text: str = Field(description="The text to rate.")


class Rated(Text):
    """A text with its rating."""

    rating: float = Field(description="The right rating.")


class Rating(Output):
    """What the text was rated."""

    rating: float = Field(description="The rating.")


class Scale(State):
    """The mean and spread of the ratings: the head predicts how far from the mean a text is."""

    mean: float = 0.0
    spread: float = 1.0


class {{ cookiecutter.__class }}(Task[NoOptions], Formulation):
    """Rates a text by a number."""

    Input: ClassVar = Text
    Output: ClassVar = Rating
    Example: ClassVar = Rated
    State: ClassVar = Scale
    metric: ClassVar[str] = "fit"
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {"text": ("text", "review"), "rating": ("rating", "stars", "score")}
    head: ClassVar[str] = "{{ cookiecutter.__package }}.head:RatingHead"

    def learn(self, examples: Sequence[Rated]) -> Scale:
        ratings = [example.rating for example in examples] or [0.0]
        return Scale(mean=float(np.mean(ratings)), spread=float(np.std(ratings)) or 1.0)

    def outputs(self, spec: BackboneSpec, state: Scale) -> tuple[Port, ...]:
        return (Port("distance", "float32"),)

    def gold_ports(self, spec: BackboneSpec, state: Scale) -> tuple[Port, ...]:
        return (Port("gold", "float32"),)

    def encode(self, inputs: Sequence[Text], reader: Reader, state: Scale) -> Encoded:
        encoded = Encoded(rows=[], owner=[], side=[])
        for index, passage in enumerate(reader.read([value.text for value in inputs])):
            encoded.rows += [window.row for window in passage.windows]
            encoded.owner += [index] * len(passage.windows)
            encoded.side.append(passage.notes)
        return encoded

    def label(self, examples: Sequence[Rated], encoded: Encoded, state: Scale) -> list[dict[str, Array]]:
        golds = [np.float32((example.rating - state.mean) / state.spread) for example in examples]
        return [{"gold": np.asarray(golds[index], dtype=np.float32)} for index in encoded.owner]

    def decode(self, side: tuple[str, ...], outputs: Sequence[Row], state: Scale) -> Rating:
        distance = float(np.mean([output["distance"] for output in outputs]))
        return Rating(rating=round(state.mean + state.spread * distance, 6), notes=side)

    def targets(self, output: Rating, side: Any, state: Scale) -> list[Target]:
        return [Target(name="rating", port="distance", index=())]

    def scorer(self, outputs: Sequence[Rating], examples: Sequence[Rated], state: Scale) -> Scorer:
        """The share of the variance that is explained (R²), and minus the mean absolute error."""
        given = np.asarray([output.rating for output in outputs])
        wanted = np.asarray([example.rating for example in examples])

        def score(indices: Array) -> Mapping[str, float]:
            error = wanted[indices] - given[indices]
            total = float(((wanted[indices] - wanted[indices].mean()) ** 2).sum()) or 1.0
            return {"fit": 1 - float((error**2).sum()) / total, "minus_error": -float(np.abs(error).mean())}

        return score

    def baseline(self, examples: Sequence[Rated], state: Scale) -> list[Rating]:
        return [Rating(rating=state.mean)] * len(examples)

    def golden_inputs(self, state: Scale) -> list[Text]:
        return [Text(text=text) for text in ("good", "A long day, and it rained.", "好")]
