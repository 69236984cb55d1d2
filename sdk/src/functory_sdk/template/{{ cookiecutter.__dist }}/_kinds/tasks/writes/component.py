"""The task: a text in, a text out.

Its types and its prompt stand here; the chat frame, the limits and the scores are the SDK's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from functory_sdk import Input, WriteOptions, WriteTask
from pydantic import Field


class Text(Input):
    """What the text is written for."""

    text: str = Field(min_length=1, description="The text to write about.")


class WrittenText(Text):
    """A text with what should be written for it."""

    reference: str = Field(description="The text that should be written.")


class {{ cookiecutter.__class }}(WriteTask[WriteOptions]):
    """Says in one sentence what a text says."""

    Input: ClassVar = Text
    Example: ClassVar = WrittenText
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "article"),
        "reference": ("reference", "summary"),
    }
    examples: ClassVar[tuple[str, ...]] = ("functory build --task {{ cookiecutter.__entry }} --backbone smollm2",)

    def prompt(self, value: Text) -> str:
        return f"Say in one sentence what this text says: {value.text}"
