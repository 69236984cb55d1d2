"""The contract: the options, and which candidates there are for how many examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field, field_validator

from functory_sdk import Adaptation, BackboneSpec, Candidate, Choice, Options, Task, TrainingOptions, entries, load

FEW_ALONE = ("contrastive",)
"""What is made for few examples, and tried with no more."""
BY_DEFAULT = ("head", "lexical", "contrastive", "lora")
"""Those that cost least, in training and in use, first."""
NEEDED = ("head", "lora")
"""Whose distributions must be there; of the others those are tried that are installed."""
TURNS = 128
"""Examples that are enough to be held out once: with a half of them, all are held out twice, and so on."""


class AutoOptions(Options):
    """Options of the choice."""

    among: tuple[str | dict[str, Any], ...] = Field(
        default=(),
        description="The adaptations that are tried, those that cost least first: names, or tables of a name and options. If not "
        "given head and lora, and lexical and, with few examples, contrastive, where they are installed.",
    )
    steps: int = Field(
        default=1500, ge=10, le=10_000_000, description="Optimiser steps that the fits of one candidate may take together."
    )
    certainty: float = Field(
        default=0.75, ge=0.5, le=1,
        description="How sure it must be that one that costs more is better: the share of resamples on which it is.",
    )
    few: int = Field(
        default=400, ge=0, le=100_000,
        description="Fewer examples than this are all held out in turn, and all train in the end; of more, dev decides.",
    )
    folds: int = Field(default=4, ge=2, le=20, description="In how many parts few examples are held out.")
    repeats: int | None = Field(
        default=None, ge=1, le=20, description="How often few examples are parted anew; the more often, the fewer, if not given."
    )  # fmt: skip

    @field_validator("among")
    @classmethod
    def _named(cls, value: tuple[str | dict[str, Any], ...]) -> tuple[str | dict[str, Any], ...]:
        if any(not isinstance(one, str) and not isinstance(one.get("name"), str) for one in value):
            raise ValueError("a table of an adaptation's options must have its name: {name = 'lora', rank = 4}")
        return value


class Auto(Adaptation[AutoOptions]):
    """Tries adaptations on your data, and takes the one that does best on rows that it has not seen.

    What each did stands in the manifest and the report. The budget counts steps, never seconds, so that recipe and seed
    give the same function again.
    """

    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train reviews.csv --backbone minilm --adaptation auto",
    )

    def choice(self, task: Task[Any], spec: BackboneSpec, examples: Sequence[Any]) -> Choice:
        options, count = self.options, len(examples)
        is_few = count < options.few
        repeats = (options.repeats or max(1, min(3, TURNS // max(1, count)))) if is_few else 1
        fits = options.folds * repeats + 1 if is_few else 1
        steps = max(1, options.steps // fits)
        candidates = tuple(self._bounded(one, spec, steps) for one in self._candidates(is_few=is_few))
        return Choice(candidates, options.certainty, options.folds if is_few else 0, repeats)

    def _candidates(self, *, is_few: bool) -> Iterator[Candidate]:
        """Give those that the options name; by default those that go with so many examples."""
        for named in self.options.among:
            options = {"name": named} if isinstance(named, str) else dict(named)
            yield Candidate(options.pop("name"), options)
        for name in () if self.options.among else BY_DEFAULT:
            if is_few or name not in FEW_ALONE:
                yield Candidate(name, is_needed=name in NEEDED)

    def _bounded(self, one: Candidate, spec: BackboneSpec, steps: int) -> Candidate:
        """Return a candidate that keeps to the budget: where layers are trained and its options say how long, no longer."""
        known = {name for entry in entries("adaptations") for name in (entry.name, f"{entry.distribution}:{entry.name}")}
        if "most_steps" in one.options or one.name not in known:
            return one
        found = load("adaptations", one.name)
        if not issubclass(found.Options, TrainingOptions) or found.configure(dict(one.options)).cut(spec) == spec.points:
            return one
        return replace(one, options={**one.options, "most_steps": steps})
