"""The types that callers meet: input, output, example, options."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from functory_sdk import Input, WriteOptions, Written


class SummaryOptions(WriteOptions):
    """Options of summarization: how long a summary is, how one is asked for, and how sentences are chosen."""

    max_new_tokens: int = Field(default=128, ge=1, le=100_000, description="How many tokens are written at most.")
    sentences: int = Field(
        default=0, ge=0, le=1000,
        description="The most sentences of a summary. 0: three where they are taken from the text, as many as come where it is "
        "written.",
    )  # fmt: skip
    words: int = Field(
        default=0, ge=0, le=100_000,
        description="The most words, a Chinese character being one; a summary that would be longer ends with a sentence before. "
        "0: any number.",
    )  # fmt: skip
    instruction: str = Field(
        default="",
        description="What a backbone that writes is told, with {text} where the text goes; by default in the text's language, "
        "or as its family was trained to be told.",
    )
    language: str = Field(
        default="", pattern="^[A-Za-z-]*$",
        description="The texts' language, such as zh, where no examples tell: one that no small generator here writes is "
        "summarised by its own sentences.",
    )  # fmt: skip
    position: float = Field(
        default=0.3, ge=0, le=1,
        description="How much it counts for a sentence that it stands early, beside how central it is: most writers say first "
        "what matters. 0: not at all; 1: the first sentences are taken.",
    )  # fmt: skip
    diversity: float = Field(
        default=0.3, ge=0, le=1,
        description="How much it counts against a sentence that it is like one that was taken; 0: not at all.",
    )  # fmt: skip


class Text(Input):
    """What is summarised; it may be empty."""

    text: str = Field(description="The text.")


class Summarised(Text):
    """A text with a summary that somebody wrote."""

    summary: str = Field(description="The summary.")


class Excerpt(BaseModel):
    """A sentence of the text."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(description="The sentence as it stands in the text.")
    start: int = Field(description="Its first character, from 0.")
    end: int = Field(description="The character after its last.")
    score: float = Field(description="How central it is, and how early: 1 at most.")


class Summary(Written):
    """A text in few sentences."""

    text: str = Field(description="The summary.")
    tokens: int = Field(default=0, description="How many tokens were written; 0 where sentences were taken.")
    sentences: tuple[Excerpt, ...] = Field(
        default=(), description="The sentences that it consists of, in the text's order, where they were taken from it."
    )
