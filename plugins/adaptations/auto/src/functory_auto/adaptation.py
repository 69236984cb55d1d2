"""The contract: the options, and which candidates there are for how many examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, field_validator

from functory_sdk import Adaptation, BackboneSpec, Candidate, Choice, Options, Task

TURNS = 128
"""Examples that are enough to be held out once: with a half of them, all are held out twice, and so on."""
STEPS, STEPS_EACH, LEAST_STEPS = 1500, 4, 80
"""The budget of a table that is not small, of each example of one that is, and the least: what few examples cost stays in
proportion to what many cost."""
EXAMPLES_A_STEP, MOST_STEPS = 2, 12_000
"""The same of a large table, of which three epochs of 16 examples a step, twice, are to be had; and the most."""
ALL_WEIGHTS: Mapping[str, Any] = {"batch_rows": 16, "head_first": False}
"""How full is tried. With a head that was fitted beforehand 1,000 rows of four sets ended one to four points lower on MiniLM."""
LIGHT = 25_000_000
"""Numbers of a backbone that may all be the function's own: 100 MB."""


class AutoOptions(Options):
    """Options of the choice."""

    among: tuple[str | dict[str, Any], ...] = Field(
        default=(),
        description="The adaptations that are tried, those that cost least first: names, or tables of a name and options. If not "
        "given head and lora, and lexical and, with few examples, contrastive, with plenty full, where they are installed.",
    )
    steps: int | None = Field(
        default=None, ge=10, le=10_000_000, description="Optimiser steps that the fits of one candidate may take together; if "
        f"not given {STEPS:,}, with few examples {STEPS_EACH} for each, but {LEAST_STEPS} at least, and with many one for each "
        f"{EXAMPLES_A_STEP}, but {MOST_STEPS:,} at most.",
    )
    certainty: float = Field(
        default=0.75, ge=0.5, le=1,
        description="How sure it must be that one that costs more is better: the share of resamples on which it is. One example "
        "alone makes it sure by .63.",
    )
    few: int = Field(
        default=400, ge=0, le=100_000,
        description="Fewer examples than this are all held out in turn, and all train in the end; of more, dev decides.",
    )
    scarce: int = Field(
        default=24, ge=0, le=10_000,
        description="With this many examples a label, or fewer, contrastive goes first: another must be surely better on what is "
        "held out; and lora is tried only where contrastive cannot be.",
    )
    plenty: int = Field(
        default=5000, ge=0, le=100_000_000,
        description="With this many examples or more full is tried too, on an encoder that may be the function's own: "
        f"{LIGHT // 1_000_000} million numbers at most.",
    )
    folds: int = Field(default=4, ge=2, le=20, description="In how many parts few examples are held out.")
    repeats: int | None = Field(
        default=None, ge=1, le=20, description="How often few examples are parted anew; if not given the more often, the fewer "
        "there are, and once for what trains layers.",
    )  # fmt: skip
    refit: bool | None = Field(
        default=None, description="Where dev was split off and decides, fit the chosen one once more in the end, to the rows of "
        "dev too, in as many passes over them as dev found best; if not given, where they are scarce or plenty.",
    )

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
        labels = len({label for example in examples for label in task.labels(example)})
        is_few, is_scarce = count < options.few, count <= options.scarce * max(1, labels)
        is_plenty = count >= max(options.plenty, options.few)
        most = max(LEAST_STEPS, STEPS_EACH * count) if is_few else count // EXAMPLES_A_STEP
        most = min(STEPS, most) if is_few else min(MOST_STEPS, max(STEPS, most))
        return Choice(
            tuple(self._candidates(spec, is_few=is_few, is_scarce=is_scarce, is_plenty=is_plenty)),
            options.certainty,
            options.folds if is_few else 0,
            (options.repeats or max(1, min(3, TURNS // max(1, count)))) if is_few else 1,
            repeats_of_layers=options.repeats or 1,
            most_steps=options.steps or most,
            is_refitted=is_scarce or is_plenty if options.refit is None else options.refit,
        )

    def _candidates(self, spec: BackboneSpec, *, is_few: bool, is_scarce: bool, is_plenty: bool) -> Iterator[Candidate]:
        """Give those that the options name; by default those that go with so many examples, those that cost least, in training
        and in use, first. Of many, lexical goes before head: its own folds, of all training rows, have weighed what n-grams add,
        and leave them out where that is nothing, so that the few rows of dev should be sure before they decide otherwise.
        """
        for named in self.options.among:
            options = {"name": named} if isinstance(named, str) else dict(named)
            yield Candidate(options.pop("name"), options)
        if self.options.among:
            return
        together = Candidate("contrastive", is_needed=False)
        if is_scarce:
            yield together
        maps = Candidate("head"), Candidate("lexical", is_needed=False)
        yield from maps if is_few else maps[::-1]
        if is_few and not is_scarce:
            yield together
        yield Candidate("lora", _top(spec) if is_few else {}, unless="contrastive" if is_scarce else "")
        if is_plenty and spec.architecture == "encoder" and _weight(spec) <= LIGHT:
            yield Candidate("full", ALL_WEIGHTS, is_needed=False)


def _weight(spec: BackboneSpec) -> int:
    """Return about how many numbers a backbone has: a vector for each word; in each layer four maps of attention, and two that
    widen four times and narrow again.
    """
    return spec.width * (spec.vocabulary + 12 * spec.layers * spec.width)


def _top(spec: BackboneSpec) -> Mapping[str, Any]:
    """Return options that let the upper half of the layers learn: what lies below is run once an example, however many fits
    there are.
    """
    return {"layers": (spec.layers + 1) // 2} if spec.layers > 1 and spec.architecture != "encoder-decoder" else {}
