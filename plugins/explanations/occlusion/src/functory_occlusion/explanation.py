"""The contract: take words away, one stretch at a time, and see what the target loses."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from functory_sdk import Attribution, Explanation, Function, Options, Target, Word, attribution, values_of, without

LONG = 16
"""Stretches that a text is cut into before its words are taken one by one, where time is limited."""


class OcclusionOptions(Options):
    """Options of occlusion."""

    width: int = Field(
        1, ge=1, le=10, description="Words taken away at once; each word gets the mean over its stretches."
    )
    seconds: float = Field(
        0.0,
        ge=0,
        le=86400,
        description="Begin no further passes after so long: words that were not reached keep the mean weight of a long "
        "stretch around them; 0 for no limit.",
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
        said: list[str] = []

        def weigh(words: Sequence[Word]) -> list[float]:
            until = time.monotonic() + self.options.seconds if self.options.seconds else None

            def losses(stretches: Sequence[range], until: float | None = None) -> list[float]:
                """Return what the target loses for each word of each stretch, of the first of them where time is up."""
                changed = [without(value, [words[index] for index in stretch]) for stretch in stretches]
                whole, *rest = values_of(function, [value, *changed], target, until=until)
                return [(whole - number) / len(stretch) for stretch, number in zip(stretches, rest, strict=False)]

            width = min(self.options.width, len(words))
            stretches = [range(start, start + width) for start in range(len(words) - width + 1)]
            if until is None or len(stretches) <= LONG:
                return spread(len(words), stretches, losses(stretches))
            size = -(-len(words) // LONG)
            long = [range(start, min(start + size, len(words))) for start in range(0, len(words), size)]
            rough = spread(len(words), long, losses(long))
            stretches.sort(key=lambda stretch: -sum(abs(rough[index]) for index in stretch))  # the weightiest first
            fine = losses(stretches, until)
            if len(fine) < len(stretches):
                said.append(
                    f"stopped after {self.options.seconds:g} s: {len(fine)} of {len(stretches)} stretches of {width} were "
                    f"taken away; the other words have the mean weight of stretches of {size}"
                )
            return spread(len(words), stretches[: len(fine)], fine, rough)

        return attribution(function, value, target, self.name or "occlusion", weigh, said)


def spread(count: int, stretches: Sequence[range], losses: Sequence[float], rough: Sequence[float] = ()) -> list[float]:
    """Return for each of so many words the mean loss of the stretches that it is in.

    :param losses: for each word of each stretch.
    :param rough: what words in no stretch have.
    """
    found: list[list[float]] = [[] for _ in range(count)]
    for stretch, loss in zip(stretches, losses, strict=True):
        for index in stretch:
            found[index].append(loss)
    return [sum(own) / len(own) if own else rough[index] for index, own in enumerate(found)]
