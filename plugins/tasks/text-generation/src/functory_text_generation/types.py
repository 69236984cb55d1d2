"""The types that callers meet: input and example. Output and options are those of all tasks that write."""

from __future__ import annotations

from pydantic import Field

from functory_sdk import Input


class Prompt(Input):
    """What the text is written for."""

    text: str = Field(description="The prompt: a message to a model that converses, or the beginning of a text.")


class ReferencedPrompt(Prompt):
    """A prompt with the text that should come."""

    reference: str = Field(description="The text that should be written.")
