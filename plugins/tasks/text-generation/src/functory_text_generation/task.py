"""The contract: the prompt is the input's text. How it is written, and how well, is the SDK's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from functory_sdk import WriteOptions, WriteTask
from functory_text_generation.types import Prompt, ReferencedPrompt


class TextGeneration(WriteTask[WriteOptions]):
    """Writes text for a prompt, the likeliest or drawn; needs no training data, and learns from some."""

    Input: ClassVar = Prompt
    Example: ClassVar = ReferencedPrompt
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "prompt", "input", "question", "instruction", "source"),
        "reference": ("reference", "completion", "output", "answer", "response", "target"),
    }
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-generation --backbone smollm2 --set task.max_new_tokens=40",
        "functory build --task text-generation --train answers.csv --backbone smollm2 --adaptation lora",
    )
