"""The task: one text, one label.

Its types and columns stand here; how labels are learned, read and scored is the SDK's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from functory_sdk import Input, Label, LabelOptions, LabelTask
from pydantic import Field


class Text(Input):
    """What is labelled."""

    text: str = Field(min_length=1, description="The text to label.")


class LabelledText(Text):
    """A text with its right label."""

    label: Label = Field(description="The right label.")


class {{ cookiecutter.__class }}(LabelTask[LabelOptions]):
    """Says which label a text has."""

    Input: ClassVar = Text
    Example: ClassVar = LabelledText
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {"text": ("text", "sentence"), "label": ("label", "class")}
    examples: ClassVar[tuple[str, ...]] = ("functory build --task {{ cookiecutter.__entry }} --train examples.csv",)
