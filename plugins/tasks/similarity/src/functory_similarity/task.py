"""The contract: what is learned besides φ, how the two texts may be put, how well. No torch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from functory_sdk import (
    ALIKE,
    FIRST,
    GOLDEN_PAIRS,
    SECOND,
    BackboneSpec,
    DataError,
    Formulation,
    Judgement,
    OptionError,
    Scorer,
    Suited,
    Task,
)
from functory_similarity.metrics import METRICS, scorer
from functory_similarity.put import Apart, ApartAlike, Cosine, Together
from functory_similarity.types import Likeness, Pair, Scale, ScoredPair, SimilarityOptions


class Similarity(Task[SimilarityOptions]):
    """Says how alike two texts are: a number on the scale of the training data; without any, the cosine of their vectors."""

    Options: ClassVar = SimilarityOptions
    Input: ClassVar = Pair
    Output: ClassVar = Likeness
    Example: ClassVar = ScoredPair
    State: ClassVar = Scale
    shorthand: ClassVar[tuple[str, ...]] = ("first", "second")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "first": FIRST,
        "second": SECOND,
        "score": (*ALIKE, "rating", "grade", "label"),
    }  # fmt: skip
    unasked: ClassVar[str] = (
        "how alike two texts are is the cosine of their vectors, which no words give: leave adaptation out, or learn it with "
        "train = '…'."
    )
    metric: ClassVar[str] = "pearson"
    metrics: ClassVar[Mapping[str, str]] = METRICS
    lower_is_better: ClassVar[Collection[str]] = ("mean_absolute_error",)
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task similarity --train pairs.csv",
        "functory build --task similarity --backbone e5 --output likeness",
        'functory run likeness "A man plays a guitar." "Someone makes music." --json',
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        """Both texts in one row; each by itself, with a head on their vectors; their vectors as they are."""
        is_symmetric = self.options.symmetric
        apart = (ApartAlike if is_symmetric else Apart)(is_symmetric=is_symmetric)
        return {"features": Together(is_symmetric=is_symmetric), "vectors": apart, "plain": Cosine()}

    def suits(self, *, has_examples: bool) -> Suited:
        if has_examples:
            why = "a head on both vectors learns your scale in seconds, layers that read both texts together more: data decide"
            return Suited("minilm", "auto", why, "e5")
        return Suited("minilm", "zero-shot", "a sentence encoder was trained to give like texts like vectors", "e5")

    def learn(self, examples: Sequence[Any]) -> Scale:
        """Mean, deviation and ends of the numbers.

        :raises DataError: where all numbers are the same.
        :raises OptionError: where the scale's ends are not in order, or a number is outside.
        """
        low, high = self.options.low, self.options.high
        if low is not None and high is not None and low >= high:
            raise OptionError(f"low = {low:g} is not below high = {high:g}.", do="give the scale's ends in order.")
        if not examples:
            return Scale()
        numbers = np.asarray([example.score for example in examples], dtype=np.float64)
        if np.ptp(numbers) == 0:
            raise DataError(
                f"all scores are {numbers[0]:g}: nothing is to be learned.", do="give pairs that differ in likeness."
            )
        least, most = float(numbers.min()), float(numbers.max())
        state = Scale(
            low=least if low is None else low, high=most if high is None else high, mean=float(numbers.mean()),
            deviation=float(numbers.std()),
        )  # fmt: skip
        self.check(examples[int(numbers.argmin())], state)
        self.check(examples[int(numbers.argmax())], state)
        return state

    def check(self, example: Any, state: Scale) -> None:
        """Refuse a number outside of the scale, where the options name its ends."""
        low, high = self.options.low, self.options.high
        if (low is not None and example.score < low) or (high is not None and example.score > high):
            raise DataError(
                f"score = {example.score:g} is outside of the scale, {state.low:g} to {state.high:g}.",
                do="correct the row, or the options low and high.",
            )

    def scorer(self, outputs: Sequence[Likeness], examples: Sequence[Any], state: Scale) -> Scorer:
        return scorer([output.score for output in outputs], [example.score for example in examples])

    def baseline(self, examples: Sequence[Any], state: Scale) -> Sequence[Likeness]:
        """The mean of the examples' numbers, for each of them."""
        mean = float(np.mean([example.score for example in examples]))
        return [Likeness(score=mean)] * len(examples)

    def judge(self, output: Likeness, example: Any, state: Scale) -> Judgement:
        """A number is neither right nor wrong."""
        return Judgement(f"{output.score:.4g}", f"{example.score:.4g}")

    def golden_inputs(self, state: Scale) -> Sequence[Pair]:
        return [Pair(first=first, second=second) for first, second in GOLDEN_PAIRS]
