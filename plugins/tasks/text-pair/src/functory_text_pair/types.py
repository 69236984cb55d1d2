"""The types that callers meet: input and example. Output, state and options are those of all tasks that label pairs."""

from __future__ import annotations

from pydantic import Field

from functory_sdk import Input, LabelOrList, NotBlank


class Pair(Input):
    """Two texts, to be labelled together."""

    first: NotBlank = Field(description="The first text: a premise, a question, a text.")
    second: NotBlank = Field(description="The second text: a hypothesis, a passage, an aspect.")


class LabelledPair(Pair):
    """Two texts with their label, or their labels."""

    label: LabelOrList = Field(description="The right label; a list of them for multi-label data.")
