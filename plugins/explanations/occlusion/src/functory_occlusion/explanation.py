"""The contract: take words away, one stretch at a time, and see what the target loses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from functory_sdk import Attribution, Explanation, Function, Options, Target, Word, attribution, values_of, without


class OcclusionOptions(Options):
    """Options of occlusion."""

    width: int = Field(
        1, ge=1, le=10, description="Words taken away at once; each word gets the mean over its stretches."
    )


class Occlusion(Explanation[OcclusionOptions]):
    """What the target loses when a word is taken away. A black box: deterministic, and on any engine."""

    paper: ClassVar[str] = (
        "Zeiler and Fergus 2014; Li et al. 2016, Understanding Neural Networks through Representation Erasure"
    )
    examples: ClassVar[tuple[str, ...]] = (
        'functory explain sentiment "A small movie with a big impact." --method occlusion',
    )

    def explain(self, function: Function, value: Any, target: Target) -> Attribution:
        def weigh(words: Sequence[Word]) -> list[float]:
            width = min(self.options.width, len(words))
            stretches = [range(start, start + width) for start in range(len(words) - width + 1)]
            changed = [without(value, [words[index] for index in stretch]) for stretch in stretches]
            whole, *rest = values_of(function, [value, *changed], target)
            losses: list[list[float]] = [[] for _ in words]
            for stretch, number in zip(stretches, rest, strict=True):
                for index in stretch:
                    losses[index].append((whole - number) / width)
            return [sum(found) / len(found) for found in losses]

        return attribution(function, value, target, self.name or "occlusion", weigh)
