"""The contract: the options, and which candidates there are for how many examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from functory_sdk import Adaptation, BackboneSpec, Candidate, Choice, Options, Task


class AutoOptions(Options):
    """Options of the choice."""

    among: tuple[str, ...] = Field(
        default=("head", "lora"), min_length=1, description="The adaptations that are tried, those that cost least first."
    )
    steps: int = Field(
        default=1500, ge=1, le=10_000_000, description="Optimiser steps that one fit may take at most."
    )
    certainty: float = Field(
        default=0.75, ge=0.5, le=1,
        description="How sure it must be that one that costs more is better: the share of resamples on which it is.",
    )  # fmt: skip


class Auto(Adaptation[AutoOptions]):
    """Tries adaptations on your data, and takes the one that does best on rows that it has not seen.

    What each did stands in the manifest and the report. The budget counts steps, never seconds, so that recipe and seed
    give the same function again.
    """

    paper: ClassVar[str] = ""
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train reviews.csv --backbone minilm --adaptation auto",
    )

    def choice(self, task: Task[Any], spec: BackboneSpec, examples: Sequence[Any]) -> Choice:
        given = {"lora": {"most_steps": self.options.steps}}
        return Choice([Candidate(name, given.get(name, {})) for name in self.options.among], self.options.certainty)
