"""The task: two texts, one label.

Its types and columns stand here; how pairs are read, and labels learned and scored, is the SDK's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from functory_sdk import Input, NotBlank, PairOptions, PairTask


class Exchange(Input):
    """What is labelled: a question and a reply, read together."""

    question: NotBlank = Field(description="What was asked.")
    reply: NotBlank = Field(description="What came back.")


class LabelledExchange(Exchange):
    """A question and a reply, and whether it was answered."""

    verdict: Literal["answered", "open"] = Field(description="Whether the reply answers the question.")


class Answered(PairTask[PairOptions]):
    """Says whether a reply answers a question."""

    Input: ClassVar = Exchange
    Example: ClassVar = LabelledExchange
    gold: ClassVar[str] = "verdict"
    shorthand: ClassVar[tuple[str, ...]] = ("question", "reply")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "question": ("question", "ask"),
        "reply": ("reply", "answer"),
        "verdict": ("verdict", "label"),
    }
    examples: ClassVar[tuple[str, ...]] = ("functory build --task answered --train exchanges.csv",)
