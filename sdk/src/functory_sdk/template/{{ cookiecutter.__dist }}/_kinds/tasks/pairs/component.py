"""The task: two texts, one label.

Its types and columns stand here; how pairs are read, and labels learned and scored, is the SDK's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from functory_sdk import FIRST, SECOND, Input, Label, PairOptions, PairTask, NotBlank
from pydantic import Field


class Pair(Input):
    """What is labelled: two texts, read together."""

    first: NotBlank = Field(description="The first text.")
    second: NotBlank = Field(description="The second text.")


class LabelledPair(Pair):
    """Two texts with their right label."""

    label: Label = Field(description="The right label.")


class {{ cookiecutter.__class }}(PairTask[PairOptions]):
    """Says which label two texts have together."""

    Input: ClassVar = Pair
    Example: ClassVar = LabelledPair
    shorthand: ClassVar[tuple[str, ...]] = ("first", "second")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "first": FIRST,
        "second": SECOND,
        "label": ("label", "class"),
    }
    examples: ClassVar[tuple[str, ...]] = ("functory build --task {{ cookiecutter.__entry }} --train examples.csv",)
