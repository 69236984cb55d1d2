"""The types that callers meet: input and example. Output, state and options are those of all tasks that label."""

from __future__ import annotations

from pydantic import Field

from functory_sdk import Input, LabelOrList


class Text(Input):
    """A text to classify."""

    text: str = Field(min_length=1, description="The text to classify.")


class LabelledText(Text):
    """A text with its label, or its labels."""

    label: LabelOrList = Field(description="The right label; a list of them for multi-label data.")
