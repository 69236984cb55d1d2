"""The contracts: two ways to weigh words by gradients."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from functory_sdk import (
    Attribution,
    Explanation,
    Function,
    NotSupported,
    Options,
    Progress,
    Target,
    TorchForm,
    Word,
    attribution,
    progress,
    values_of,
)

if TYPE_CHECKING:
    from functory_gradients.layers import Weighed

FEWEST = 4
"""Steps of the shortest path."""

ROUNDING = 0.05
"""How far a number may be from itself, as another batch or engine computes it."""
ALONE = (
    "the output sets several rows of the program beside each other, and the gradient is that of the target's own row alone; "
    "occlusion weighs them together"
)
COUNTED = (
    "the head reads what is counted in the text too, its words or n-grams, and no gradient reaches that: the weights tell what "
    "the backbone reads alone; occlusion weighs both together"
)


class GradientOptions(Options):
    """Options of gradient × input: none."""


class IntegratedOptions(Options):
    """Options of integrated gradients."""

    steps: int = Field(32, ge=FEWEST, le=1024, description="Steps from the baseline to the input.")
    baseline: Literal["pad", "zero"] = Field(
        "pad", description="Where the path begins: the padding token's embeddings, or zeros."
    )
    seconds: float = Field(
        0.0, ge=0, le=86400, description="Take only as many steps as about so long allows, 4 at least; 0 for no limit."
    )


class _Gradients(Explanation[Any]):
    """What both have in common: a private copy of the model, rows of the target, tokens summed to words."""

    needs_gradients: ClassVar[bool] = True
    steps: int = 0
    baseline: str = "zero"
    seconds: float = 0.0

    def explain(self, function: Function, value: Any, target: Target) -> Attribution:
        form = function.form
        if not isinstance(form, TorchForm) or form.program.kind != "forward":
            raise NotSupported(
                f"{self.name} needs the torch form of a function that is one forward pass; this is {form.name}.",
                do="explain with method='occlusion', or load the function's torch form.",
            )
        from functory_gradients.layers import word_weights

        notes = [COUNTED] if any(port.dtype == "float32" for port in form.program.inputs) else []

        def weigh(words: Sequence[Word]) -> list[float]:
            found, steps = self._weighed(function, value, target, notes)
            [whole] = values_of(function, [value], target)
            if abs(found.value - whole) > ROUNDING * max(1.0, abs(whole)):
                notes.append(ALONE)
            if self.steps:
                notes.append(
                    f"the weights sum to the target's gain over the baseline, {found.gain:+.2f}, but for {found.gap:.2g} "
                    f"({steps} steps)"
                )
            return word_weights(words, found.rows)

        return attribution(function, value, target, self.name, weigh, notes)

    def _weighed(self, function: Function, value: Any, target: Target, notes: list[str]) -> tuple[Weighed, int]:
        """Return the tokens' weights, and in how many steps they were found: as many as the time allows."""
        from functory_gradients.layers import token_weights

        bar: Progress[Any]
        with progress(self.steps, f"{function.name}: explaining") as bar:
            if not self.seconds or self.steps <= FEWEST:
                return token_weights(function, value, target, self.steps, self.baseline, bar.advance), self.steps
            started = time.monotonic()
            first = token_weights(function, value, target, FEWEST, self.baseline, lambda steps: None)
            took = max(1e-6, time.monotonic() - started)
            steps = min(self.steps, int(FEWEST * (self.seconds - took) / took))
            if steps < self.steps:
                notes.append(f"{max(steps, FEWEST)} steps, not {self.steps}: more would take longer than {self.seconds:g} s")
            if steps <= FEWEST:
                return first, FEWEST
            bar.expect(steps)
            return token_weights(function, value, target, steps, self.baseline, bar.advance), steps


class IntegratedGradients(_Gradients, Explanation[IntegratedOptions]):
    """Gradients summed along the way from a baseline to the input: the weights add up to what the target gained."""

    paper: ClassVar[str] = "Sundararajan et al. 2017, Axiomatic Attribution for Deep Networks (arXiv 1703.01365)"
    examples: ClassVar[tuple[str, ...]] = (
        'functory explain sentiment "A small movie." --method integrated-gradients --set steps=64',
    )
    Options: ClassVar[type[Options]] = IntegratedOptions

    def __init__(self, options: IntegratedOptions | None = None) -> None:
        super().__init__(options)
        self.steps, self.baseline, self.seconds = self.options.steps, self.options.baseline, self.options.seconds


class GradientXInput(_Gradients, Explanation[GradientOptions]):
    """The gradient of the target at each embedding, times the embedding: one backward pass."""

    paper: ClassVar[str] = "Shrikumar et al. 2016, Not Just a Black Box (arXiv 1605.01713)"
    examples: ClassVar[tuple[str, ...]] = ('functory explain sentiment "A small movie." --method gradient-x-input',)
    Options: ClassVar[type[Options]] = GradientOptions
