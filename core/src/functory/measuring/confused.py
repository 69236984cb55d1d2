"""What was taken for what, with examples: the pairs of labels that are confused most often, each with the surest mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from functory.measuring.mistakes import Mistake

if TYPE_CHECKING:
    from functory.measuring.report import Confusion

PAIRS = 8
"""Pairs that are told."""
EACH = 3
"""Examples of each."""


class Confused(BaseModel):
    """One label that was taken for another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    true: str
    given: str
    count: int = Field(ge=1, description="How often.")
    examples: tuple[Mistake, ...] = Field((), description="Some of them, the surest first.")


def confused(confusion: Confusion | None, wrong: Sequence[Mistake]) -> tuple[Confused, ...]:
    """Return the most frequent confusions with examples.

    :param wrong: the wrong answers, the surest first.
    """
    pairs = confusion.pairs()[:PAIRS] if confusion else []
    return tuple(
        Confused(true=true, given=given, count=count, examples=tuple(_examples(true, given, wrong)[:EACH]))
        for true, given, count in pairs
    )


def _examples(true: str, given: str, wrong: Sequence[Mistake]) -> list[Mistake]:
    return [one for one in wrong if (one.wanted, one.given) == (true, given)]
