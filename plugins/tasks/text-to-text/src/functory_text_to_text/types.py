"""The types that callers meet: an input with an instruction, one with its right text, the options."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from functory_sdk import Input, WriteOptions


class InstructOptions(WriteOptions):
    """Options of text-to-text: what is to be done with each input that does not say so itself."""

    instruction: str = Field(
        default="",
        description="What is to be done, before each input that names nothing else: a sentence, or the prefix that a T5 was "
        "trained with, 'translate English to German:'.",
    )


class Instructed(Input):
    """A text, and what is to be done with it."""

    input: str = Field(default="", description="What the instruction is about; it may be empty.")
    instruction: str = Field(default="", description="What is to be done; the task's own when empty.")

    @field_validator("input", "instruction", mode="before")
    @classmethod
    def _nothing(cls, value: Any) -> Any:  # Any: what a row holds
        return "" if value is None else value


class Answered(Instructed):
    """The same with the text that should come."""

    output: str = Field(description="The text that should be written.")
