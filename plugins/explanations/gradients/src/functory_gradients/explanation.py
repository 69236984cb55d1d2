"""The contracts: two ways to weigh words by gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from functory_sdk import (
    Attribution,
    Explanation,
    Function,
    NotSupported,
    Options,
    Target,
    TorchForm,
    Word,
    attribution,
    values_of,
)

ROUNDING = 0.05
"""How far a number may be from itself, as another batch or engine computes it."""
ALONE = (
    "the output sets several rows of the program beside each other, and the gradient is that of the target's own row alone; "
    "occlusion weighs them together"
)


class GradientOptions(Options):
    """Options of gradient × input: none."""


class IntegratedOptions(Options):
    """Options of integrated gradients."""

    steps: int = Field(32, ge=4, le=1024, description="Steps from the baseline to the input.")
    baseline: Literal["pad", "zero"] = Field(
        "pad", description="Where the path begins: the padding token's embeddings, or zeros."
    )


class _Gradients(Explanation[Any]):
    """What both have in common: a private copy of the model, rows of the target, tokens summed to words."""

    needs_gradients: ClassVar[bool] = True
    steps: int = 0
    baseline: str = "zero"

    def explain(self, function: Function, value: Any, target: Target) -> Attribution:
        form = function.form
        if not isinstance(form, TorchForm) or form.program.kind != "forward":
            raise NotSupported(
                f"{self.name} needs the torch form of a function that is one forward pass; this is {form.name}.",
                do="explain with method='occlusion', or load the function's torch form.",
            )
        from functory_gradients.layers import token_weights, word_weights

        notes: list[str] = []

        def weigh(words: Sequence[Word]) -> list[float]:
            found = token_weights(function, value, target, self.steps, self.baseline)
            [whole] = values_of(function, [value], target)
            if abs(found.value - whole) > ROUNDING * max(1.0, abs(whole)):
                notes.append(ALONE)
            if self.steps:
                notes.append(
                    f"the weights sum to the target's gain over the baseline, {found.gain:+.2f}, but for {found.gap:.2g} "
                    f"({self.steps} steps)"
                )
            return word_weights(words, found.rows)

        found = attribution(function, value, target, self.name, weigh)
        return found.model_copy(update={"notes": (*notes, *found.notes)})


class IntegratedGradients(_Gradients, Explanation[IntegratedOptions]):
    """Gradients summed along the way from a baseline to the input: the weights add up to what the target gained."""

    paper: ClassVar[str] = "Sundararajan et al. 2017, Axiomatic Attribution for Deep Networks (arXiv 1703.01365)"
    examples: ClassVar[tuple[str, ...]] = (
        'functory explain sentiment "A small movie." --method integrated-gradients --set steps=64',
    )
    Options: ClassVar[type[Options]] = IntegratedOptions

    def __init__(self, options: IntegratedOptions | None = None) -> None:
        super().__init__(options)
        self.steps, self.baseline = self.options.steps, self.options.baseline


class GradientXInput(_Gradients, Explanation[GradientOptions]):
    """The gradient of the target at each embedding, times the embedding: one backward pass."""

    paper: ClassVar[str] = "Shrikumar et al. 2016, Not Just a Black Box (arXiv 1605.01713)"
    examples: ClassVar[tuple[str, ...]] = ('functory explain sentiment "A small movie." --method gradient-x-input',)
    Options: ClassVar[type[Options]] = GradientOptions
