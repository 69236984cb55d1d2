"""The adaptation that learns by showing: some training examples stand in the prompt, before what is asked (Brown et al. 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from functory.contracts.adaptation import Adaptation
from functory.contracts.backbone import BackboneSpec
from functory.contracts.component import Options
from functory.contracts.engine import Fit, TrainingSession
from functory.contracts.shown import Shown
from functory.contracts.task import Task


class PromptOptions(Options):
    """Options of showing examples."""

    demonstrations: int = Field(default=4, ge=0, le=64, description="How many examples stand in a prompt.")
    by: Literal["class", "similarity"] = Field(
        default="class",
        description="class: the same ones in every prompt, of each label as many, so that they are read once for all inputs. "
        "similarity: those that are nearest to the input (Liu et al. 2022), the nearest last.",
    )
    pool: int = Field(
        default=200, ge=1, le=10_000, description="By similarity: so many examples are kept in the function to choose from."
    )


class Prompt(Adaptation[PromptOptions]):
    """No φ: examples are shown to a backbone that writes, and what it answers is calibrated."""

    puts: tuple[str, ...] = ("prompt",)
    learns: Literal["phi", "state", "nothing"] = "state"
    paper: ClassVar[str] = "Brown et al. 2020, Language Models are Few-Shot Learners"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train few.csv --backbone smollm2 --adaptation prompt",
        "functory build --task text-pair --train few.csv --backbone smollm2 --adaptation prompt --set adaptation.by=similarity",
    )

    def cut(self, spec: BackboneSpec) -> int:
        return spec.points

    def show(self, task: Task[Any], examples: Sequence[Any], seed: int) -> Shown | None:
        """Examples of each label in turn, drawn and ordered by the seed."""
        options = self.options
        if not options.demonstrations or not len(examples):
            return None
        is_nearest = options.by == "similarity" and len(examples) > options.demonstrations
        chosen = _balanced(task, examples, options.pool if is_nearest else options.demonstrations, seed)
        told = tuple(example.model_dump(mode="json") for example in chosen)
        return Shown(examples=told, nearest=options.demonstrations if is_nearest else 0)

    def fit(self, session: TrainingSession) -> Fit:
        return Fit(notes=["nothing to fit"])


def _balanced(task: Task[Any], examples: Sequence[Any], count: int, seed: int) -> list[Any]:
    """Return so many examples, as many of each label as there are, in an order that the seed draws."""
    order = np.random.default_rng(seed).permutation(len(examples))
    taken: dict[str, int] = {}
    turns = []
    for place in order:  # the n-th example of a label comes in the n-th turn
        label = " ".join(task.strata(examples[place]))
        turns.append((taken.setdefault(label, 0), place))
        taken[label] += 1
    chosen = [place for _, place in sorted(turns, key=lambda one: one[0])[:count]]
    return [examples[place] for place in np.random.default_rng(seed + 1).permutation(chosen)]
