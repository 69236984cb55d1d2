"""The contract: how texts may be put, and how well their vectors serve. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from functory_embedding.metrics import METRICS, correlations, retrieval
from functory_embedding.put import Learned, Plain
from functory_embedding.types import Compared, Embedded, EmbeddingOptions, Measures, Text
from functory_sdk import (
    ALIKE,
    FIRST,
    GOLDEN_PAIRS,
    SECOND,
    BackboneSpec,
    DataError,
    Examples,
    Formulation,
    Judgement,
    OptionError,
    Scorer,
    Suited,
    Task,
)

WHY = "a sentence encoder was trained to give like texts like vectors"


class Embedding(Task[EmbeddingOptions]):
    """Gives a text as a vector, to be stored, searched and compared; of two texts the cosine of theirs."""

    Options: ClassVar = EmbeddingOptions
    Input: ClassVar = Text
    Output: ClassVar = Embedded
    Example: ClassVar = Compared
    State: ClassVar = Measures
    shorthand: ClassVar[tuple[str, ...]] = ("text", "other")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "anchor", *(name for name in FIRST if name != "text")),
        "other": ("other", "positive", "answer", *(name for name in SECOND if name != "aspect")),
        "role": ("role",),
        "score": ALIKE,
        "negatives": ("negatives", "negative", "hard_negative", "hard_negatives"),
    }  # fmt: skip
    unasked: ClassVar[str] = (
        "vectors are no words that could be written: leave adaptation out."
    )
    metric: ClassVar[str] = "spearman"
    metrics: ClassVar[Mapping[str, str]] = METRICS
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task embedding --backbone e5 --set task.role=query --output vectors",
        'functory run vectors "A man plays a guitar." --json',
        "functory evaluate vectors pairs.csv",
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        """Vectors as they are; or learned from texts that belong together.

        :raises OptionError: where more of their numbers are asked for than there are.
        """
        most = max(self.options.dimension, *self.options.lengths, 0)
        if most > spec.width:
            option = "dimension" if most == self.options.dimension else "lengths"
            raise OptionError(
                f"{option} = {most}, and the vectors of {spec.reference!r} have {spec.width} numbers.",
                do=f"ask for {spec.width} at most, or leave it out.",
            )
        return {"plain": Plain(self.options), "features": Learned(self.options)}

    def suits(self, *, has_examples: bool) -> Suited:
        why = f"{WHY}; examples measure them, and head, lora, full or contrastive learn from them" if has_examples else WHY
        return Suited("minilm", "zero-shot", why, "e5")

    def learn(self, examples: Sequence[Compared]) -> Measures:
        lengths = dict.fromkeys((self.options.dimension, *self.options.lengths))
        return Measures(lengths=tuple(lengths), is_scored=any(example.score is not None for example in examples))

    def prepared(self, found: Examples) -> Examples:
        """Refuse examples that measure nothing: without another text, or some with a score and some without."""
        has_score = [example.score is not None for example in found]
        for place, example in zip(found.places, found, strict=True):
            if example.other is None:
                raise DataError("other is missing: vectors are measured by two texts.", where=place, do="give both.")
        if any(has_score) and not all(has_score):
            raise DataError("score is missing", where=found.places[has_score.index(False)], do="score all rows, or none.")
        return found

    def scorer(self, outputs: Sequence[Embedded], examples: Sequence[Compared], state: Measures) -> Scorer:
        scores = [example.score for example in examples if example.score is not None]
        if scores:
            return correlations([output.cosine or 0.0 for output in outputs], scores)
        return retrieval(outputs, examples)

    def baseline(self, examples: Sequence[Compared], state: Measures) -> Sequence[Embedded]:
        """The same vector for every text."""
        return [Embedded(vector=(1.0,), other=(1.0,), cosine=1.0)] * len(examples)

    def judge(self, output: Embedded, example: Compared, state: Measures) -> Judgement:
        """A vector is neither right nor wrong."""
        return Judgement(output.in_line(), None if example.score is None else f"{example.score:.4g}")

    def golden_inputs(self, state: Measures) -> Sequence[Any]:
        pairs = [Text(text=first, other=second) for first, second in GOLDEN_PAIRS]
        return [*(Text(text=first) for first, _ in GOLDEN_PAIRS), *pairs, Text(text="कल बारिश होगी", role="query")]
