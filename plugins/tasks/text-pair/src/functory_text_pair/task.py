"""The contract: what is this task's own are its columns; how pairs are read and their labels learned is the SDK's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from functory_sdk import FIRST, SECOND, PairOptions, PairTask
from functory_text_pair.types import LabelledPair, Pair


class TextPair(PairTask[PairOptions]):
    """Says which label two texts have together: entailment, paraphrase, yes or no, what a text says of an aspect."""

    Input: ClassVar = Pair
    Example: ClassVar = LabelledPair
    prompt: ClassVar[str] = "First text: {first}\nSecond text: {second}\n\nThe relation of the second text to the first is"
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "first": FIRST,
        "second": SECOND,
        "label": (
            "label", "labels", "gold_label", "class", "category", "answer", "entailment_label", "entailment_judgment",
            "is_duplicate", "relation", "sentiment", "polarity", "标签",
        ),
    }  # fmt: skip
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-pair --train nli.jsonl --backbone minilm --adaptation lora",
        "functory build --task text-pair --train paraphrases.csv --set task.symmetric=true",
        'functory run entails "A man plays a guitar." "A man makes music." --json',
    )
