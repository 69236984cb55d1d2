"""The contract: how labels are learned is the SDK's; what is this task's own is doing without examples. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from functory_sdk import BackboneSpec, Formulation, Labels, LabelTask, OptionError
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

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        from functory_text_classification.likelihood import Likelihood

        found = super().formulations(spec)
        is_written = spec.has_logits and spec.architecture != "encoder"
        return {**found, "prompt": Likelihood(self.options, self.labels_of)} if is_written else found

    def learn(self, examples: Sequence[LabelledText]) -> Labels:
        """The labels; words that describe none of them would be read by nobody, and are refused."""
        state = super().learn(examples)
        strange = [label for label in self.options.descriptions if label not in state.labels]
        if strange:
            raise OptionError(
                f"descriptions has words for {strange[0]!r}, which is no label.", do=f"the labels are {', '.join(state.labels)}."
            )
        return state
