"""The contract: how labels are learned is the SDK's; what is this task's own is doing without examples. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from functory_sdk import BackboneSpec, Formulation, Labels, LabelTask, NotSupported, OptionError
from functory_text_classification.types import ClassificationOptions, LabelledText, Text


class TextClassification(LabelTask[ClassificationOptions]):
    """Says which label a text has: one of several, one or not, or any number of them."""

    Input: ClassVar = Text
    Example: ClassVar = LabelledText
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "sentence", "review", "content", "comment", "document", "文本", "评论"),
        "label": ("label", "labels", "category", "class", "sentiment", "topic", "intent", "target", "标签"),
    }
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train reviews.csv --backbone minilm --adaptation head",
        "functory build --task text-classification --backbone smollm2 --set task.labels=sports,politics",
    )

    def formulate(self, spec: BackboneSpec, learning: Literal["supervised", "nothing"]) -> Formulation:
        from functory_text_classification.likelihood import Likelihood

        if learning == "supervised":
            return super().formulate(spec, learning)
        if spec.architecture == "encoder" or not spec.has_logits:
            raise NotSupported(
                f"zero-shot classification asks how likely each label's words are, and {spec.reference!r} "
                f"{'is an encoder' if spec.architecture == 'encoder' else 'has no head that scores tokens'}.",
                do="choose a decoder such as smollm2, or give training data.",
            )
        return Likelihood(self.options)

    def learn(self, examples: Sequence[LabelledText]) -> Labels:
        """The labels; words that describe none of them would be read by nobody, and are refused."""
        state = super().learn(examples)
        strange = [label for label in self.options.descriptions if label not in state.labels]
        if strange:
            raise OptionError(
                f"descriptions has words for {strange[0]!r}, which is no label.", do=f"the labels are {', '.join(state.labels)}."
            )
        return state
