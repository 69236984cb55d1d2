"""A task in one file: how good a review finds what it reviews, as a number from 0 to 1.

The first try of an idea needs no packaging. When it has proved itself, `functory new plugin` makes it a distribution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BeforeValidator, Field

from functory_sdk import Array, Encoded, Formulation, Input, NoOptions, Output, Port, Reader, Row, Scorer, State, Task
from functory_sdk.torch import LinearHead

Grade = Annotated[float, BeforeValidator(lambda value: {"rotten": 0.0, "fresh": 1.0}.get(value, value))]


class Review(Input):
    """A review."""

    text: str = Field(min_length=1, description="The review.")


class GradedReview(Review):
    """A review with its grade."""

    grade: Grade = Field(ge=0, le=1, description="From 0, rotten, to 1, fresh; also the words.")


class Freshness(Output):
    """How good it finds it."""

    grade: float = Field(description="From 0 to 1.")


class GradeHead(LinearHead):
    """One number per review, before the sigmoid."""

    def __init__(self, spec: Any, state: State) -> None:
        super().__init__(spec, state, 1)

    def forward(self, features: torch.Tensor, batch: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {"score": self.scores(features).squeeze(-1)}

    def losses(self, outputs: Any, batch: Any) -> tuple[torch.Tensor, torch.Tensor]:
        losses = F.binary_cross_entropy_with_logits(outputs["score"], batch["gold"], reduction="none")
        return losses, torch.ones_like(losses)


class GradeTask(Task[NoOptions], Formulation):
    """Says how good a review finds what it reviews, from 0 to 1."""

    Input: ClassVar = Review
    Output: ClassVar = Freshness
    Example: ClassVar = GradedReview
    columns: ClassVar = {"text": ("text", "review"), "grade": ("grade", "label", "score")}
    metric: ClassVar[str] = "skill"
    head: ClassVar[str] = f"{__name__}:GradeHead"

    def outputs(self, spec: Any, state: State) -> tuple[Port, ...]:
        return (Port("score"),)

    def gold_ports(self, spec: Any, state: State) -> tuple[Port, ...]:
        return (Port("gold"),)

    def encode(self, inputs: Sequence[Review], reader: Reader, state: State) -> Encoded:
        return reader.encode([value.text for value in inputs])

    def label(self, examples: Sequence[GradedReview], encoded: Encoded, state: State) -> list[dict[str, Array]]:
        return [{"gold": np.array(examples[index].grade, dtype=np.float32)} for index in encoded.owner]

    def decode(self, side: tuple[str, ...], outputs: Sequence[Row], state: State) -> Freshness:
        score = np.mean([output["score"] for output in outputs], dtype=np.float64)
        return Freshness(grade=round(float(1 / (1 + np.exp(-score))), 6), notes=side)

    def scorer(self, outputs: Sequence[Freshness], examples: Sequence[GradedReview], state: State) -> Scorer:
        """Return the Brier skill: 1 for a perfect grade, 0 for the mean grade of all."""
        gold = np.array([example.grade for example in examples])
        errors = (np.array([output.grade for output in outputs]) - gold) ** 2
        return lambda chosen: {"skill": float(1 - errors[chosen].mean() / max(gold.var(), 1e-9))}

    def golden_inputs(self, state: State) -> list[Review]:
        return [
            Review(text=text) for text in ("A small movie with a big impact.", "电影很好看", "Dull, and far too long.")
        ]
