"""The contract: two texts in, two rows through one head, one comparison out. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from functory_sdk import (
    Array,
    BackboneSpec,
    Encoded,
    Formulation,
    Input,
    NoOptions,
    Output,
    Port,
    Reader,
    Row,
    Scorer,
    State,
    Target,
    Task,
    Taught,
)

Which = Literal["first", "second"]


class Pair(Input):
    """Two texts to compare."""

    first: str = Field(min_length=1, description="One text.")
    second: str = Field(min_length=1, description="The other text.")


class JudgedPair(Pair):
    """Two texts, and which is better."""

    better: Which = Field(description="Which of them is better.")


class Choice(Output):
    """Which of two texts is better."""

    better: Which = Field(description="The better text.")
    score: float = Field(description="The probability that it is, 0 to 1.")
    scores: dict[str, float] = Field(description="The same for both.")


class Preference(Task[NoOptions], Formulation):
    """Says which of two texts is better.

    Each text goes through the same head alone, so that swapping the two swaps the answer, whatever was learned
    (Bradley and Terry 1952): p(first is better) = σ(s₁ − s₂), and that is what is fitted.
    """

    Input: ClassVar = Pair
    Output: ClassVar = Choice
    Example: ClassVar = JudgedPair
    shorthand: ClassVar[tuple[str, ...]] = ("first", "second")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "first": ("first", "text_a", "a"), "second": ("second", "text_b", "b"), "better": ("better", "winner", "label"),
    }  # fmt: skip
    metric: ClassVar[str] = "accuracy"
    paper: ClassVar[str] = "Bradley and Terry 1952, Rank analysis of incomplete block designs"
    examples: ClassVar[tuple[str, ...]] = ("functory build --task preference --train pairs.csv",)
    head: ClassVar[str] = "acme_preference.head:ScoreHead"

    def outputs(self, spec: BackboneSpec, state: State) -> tuple[Port, ...]:
        return (Port("score", "float32"),)

    def gold_ports(self, spec: BackboneSpec, state: State) -> tuple[Port, ...]:
        return (Port("gold", "int64"),)

    def encode(self, inputs: Sequence[Pair], reader: Reader, state: State) -> Encoded:
        """Side data: how many rows are the first text's (its windows), and the notes."""
        encoded = Encoded(rows=[], owner=[], side=[])
        firsts = reader.read([value.first for value in inputs], fields=("first",))
        seconds = reader.read([value.second for value in inputs], fields=("second",))
        for index, (first, second) in enumerate(zip(firsts, seconds, strict=True)):
            rows = [window.row for passage in (first, second) for window in passage.windows]
            encoded.rows += rows
            encoded.owner += [index] * len(rows)
            encoded.side.append((len(first.windows), tuple(dict.fromkeys((*first.notes, *second.notes)))))
        return encoded

    def label(self, examples: Sequence[JudgedPair], encoded: Encoded, state: State) -> list[dict[str, Array]]:
        golds, seen = [], dict.fromkeys(range(len(examples)), 0)
        for index in encoded.owner:
            is_first = seen[index] < encoded.side[index][0]
            seen[index] += 1
            golds.append({"gold": np.asarray(is_first == (examples[index].better == "first"), dtype=np.int64)})
        return golds

    def teach(self, examples: Sequence[JudgedPair], inputs: Sequence[Pair], reader: Reader, state: State) -> Taught:
        """The texts of a pair are learned together."""
        taught = super().teach(examples, inputs, reader, state)
        return replace(taught, group=taught.owner)

    def decode(self, side: Any, outputs: Sequence[Row], state: State) -> Choice:
        count, notes = side
        scores = np.asarray([output["score"] for output in outputs], dtype=np.float64)
        margin = scores[:count].mean() - scores[count:].mean()
        share = round(float(0.5 * (1 + np.tanh(margin / 2))), 6)
        better: Which = "first" if share >= 0.5 else "second"
        scored = {"first": share, "second": round(1 - share, 6)}
        return Choice(better=better, score=scored[better], scores=scored, notes=notes)

    def targets(self, output: Choice, side: Any, state: State) -> list[Target]:
        """The scores of the two texts, the better one's first; of a long text the first window's."""
        rows = {"first": 0, "second": side[0]}
        return [
            Target(name=name, port="score", index=(), row=rows[name], scale="logit")
            for name in sorted(rows, key=lambda name: name != output.better)
        ]

    def strata(self, example: JudgedPair) -> tuple[str, ...]:
        return (example.better,)

    def scorer(self, outputs: Sequence[Choice], examples: Sequence[JudgedPair], state: State) -> Scorer:
        right = np.asarray([one.better == example.better for one, example in zip(outputs, examples, strict=True)])
        return lambda chosen: {"accuracy": float(right[chosen].mean())}

    def baseline(self, examples: Sequence[JudgedPair], state: State) -> list[Choice]:
        """The commoner side, for each pair."""
        firsts = sum(example.better == "first" for example in examples)
        better: Which = "first" if 2 * firsts >= len(examples) else "second"
        return [Choice(better=better, score=1.0, scores={})] * len(examples)

    def golden_inputs(self, state: State) -> list[Pair]:
        texts = ("A small movie with a big impact.", "电影很好看", "It is neither as funny nor as clever as it thinks.")
        return [Pair(first=one, second=other) for one, other in zip(texts, texts[1:] + texts[:1], strict=True)]
