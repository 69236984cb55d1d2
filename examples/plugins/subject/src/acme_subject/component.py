"""The task: a message in, its subject line out.

Its types and its prompt stand here; the chat frame, how text is written, training and scores are the SDK's.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from functory_sdk import Input, WriteOptions, WriteTask


class SubjectOptions(WriteOptions):
    """How the line is written, and how long it should be."""

    words: int = Field(default=6, ge=1, le=30, description="How many words are asked for.")


class Message(Input):
    """What the line is written for."""

    text: str = Field(min_length=1, description="The message.")


class Titled(Message):
    """A message with its right subject line."""

    reference: str = Field(description="The subject line.")


class Subject(WriteTask[SubjectOptions]):
    """Writes the subject line of a message, in the message's language."""

    Options: ClassVar = SubjectOptions
    Input: ClassVar = Message
    Example: ClassVar = Titled
    columns: ClassVar = {"text": ("text", "email_body", "message"), "reference": ("reference", "subject", "subject_line")}
    examples: ClassVar = ("functory build --task subject --train messages.csv --backbone smollm2 --adaptation lora",)

    def prompt(self, value: Message) -> str:
        return f"Write a subject line of {self.options.words} words for this message, in its language:\n{value.text}"
