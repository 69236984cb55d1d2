"""The contract: what is this task's own are its columns; how labels are learned, and asked for, is the SDK's. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from functory_sdk import LabelOptions, LabelTask
from functory_text_classification.types import LabelledText, Text


class TextClassification(LabelTask[LabelOptions]):
    """Says which label a text has: one of several, one or not, any number of them, a path in a hierarchy, or a rating."""

    Input: ClassVar = Text
    Example: ClassVar = LabelledText
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "sentence", "review", "content", "comment", "document", "文本", "评论"),
        "label": ("label", "labels", "category", "class", "sentiment", "topic", "intent", "target", "标签"),
    }
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train reviews.csv --backbone minilm --adaptation head",
        "functory build --task text-classification --backbone smollm2 --set task.labels=sports,politics",
        "functory build --task text-classification --train t.csv --set task.mode=path --column label=group --column label=item",
    )
