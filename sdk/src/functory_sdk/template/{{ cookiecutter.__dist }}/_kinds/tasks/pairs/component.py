"""The task: two texts, one label.

Its types and columns stand here; how labels are learned, read and scored is the SDK's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from functory_sdk import Input, Label, LabelOptions, LabelTask
from pydantic import Field


class Pair(Input):
    """What is labelled: two texts, read together."""

    first: str = Field(min_length=1, description="The first text.")
    second: str = Field(min_length=1, description="The second text.")


class LabelledPair(Pair):
    """Two texts with their right label."""

    label: Label = Field(description="The right label.")


class {{ cookiecutter.__class }}(LabelTask[LabelOptions]):
    """Says which label two texts have together."""

    Input: ClassVar = Pair
    Example: ClassVar = LabelledPair
    shorthand: ClassVar[tuple[str, ...]] = ("first", "second")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "first": ("first", "text_a", "premise"),
        "second": ("second", "text_b", "hypothesis"),
        "label": ("label", "class"),
    }
    examples: ClassVar[tuple[str, ...]] = ("functory build --task {{ cookiecutter.__entry }} --train examples.csv",)
