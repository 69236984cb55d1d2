"""The task: a text, and typed stretches of it.

Its types and columns stand here; how spans are tagged, read and scored is the SDK's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from functory_sdk import Input, SpanOptions, Spans, SpanTask
from pydantic import Field


class Text(Input):
    """What is searched."""

    text: str = Field(description="The text to search; it may be empty.")


class MarkedText(Text):
    """A text with the stretches that are to be found."""

    entities: Spans = Field(description="The right ones: [start, end, label] each, end being after the last.")


class {{ cookiecutter.__class }}(SpanTask[SpanOptions]):
    """Finds typed stretches of a text."""

    Input: ClassVar = Text
    Example: ClassVar = MarkedText
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {"text": ("text", "sentence"), "entities": ("entities", "spans")}
    examples: ClassVar[tuple[str, ...]] = ("functory build --task {{ cookiecutter.__entry }} --train examples.jsonl",)
