"""What inputs and answers were usually like where a function was measured, so that a server can tell when they no longer are.

Kept with the report: how long the texts are and how sure the answers, in ten parts of about as many examples; no text of them.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from functory.contracts.texts import texts_in

if TYPE_CHECKING:
    from functory.contracts.task import Task

PARTS = 10
"""Parts of about as many examples; where many have the same value there are fewer."""
HALF = 0.5
"""What each part has besides what was counted in it, so that an empty one is not infinitely far away."""


class Spread(BaseModel):
    """How a number is spread over examples: the ends of parts, and the share in each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    examples: int = Field(ge=1)
    ends: tuple[float, ...] = Field(description="The upper end of each part but the last, ascending.")
    shares: tuple[float, ...] = Field(description="Of the examples, in each part.")

    @model_validator(mode="after")
    def _whole(self) -> Spread:
        """There is a share for each part, and the ends ascend."""
        if len(self.shares) != len(self.ends) + 1 or list(self.ends) != sorted(set(self.ends)):
            raise ValueError("a spread has ascending ends, and one share more than ends")
        return self

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """Return how numbers are spread; None where there are none."""
        ordered = sorted(value for value in values if math.isfinite(value))
        if not ordered:
            return None
        places = [len(ordered) * part // PARTS - 1 for part in range(1, PARTS)]
        ends = sorted({ordered[place] for place in places if place >= 0} - {ordered[-1]})
        counts = Counter(bisect_left(ends, value) for value in ordered)
        shares = tuple(counts[part] / len(ordered) for part in range(len(ends) + 1))
        return cls(examples=len(ordered), ends=tuple(ends), shares=shares)

    def part(self, value: float) -> int:
        """Return the part that a number falls into."""
        return bisect_left(self.ends, value)

    def shift(self, counts: Sequence[int]) -> float:
        """Return how far other numbers are spread otherwise: the population stability index (Siddiqi 2006, Credit Risk
        Scorecards), of which .1 is called some shift and .25 much.

        :param counts: of the other numbers, in each part.
        """
        parts, many = len(self.shares), sum(counts)
        before = [(share * self.examples + HALF) / (self.examples + HALF * parts) for share in self.shares]
        now = [(count + HALF) / (many + HALF * parts) for count in counts]
        return sum((one - other) * math.log(one / other) for one, other in zip(now, before, strict=True))

    def chance(self, many: int) -> float:
        """Return the shift to be expected of so many numbers that are spread alike (Yurdakul 2018)."""
        return (len(self.shares) - 1) * (1 / self.examples + 1 / many) if many else math.inf


class Usual(BaseModel):
    """What inputs and answers were like where a function was measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lengths: Spread | None = Field(None, description="Characters of all texts of an input.")
    scores: Spread | None = Field(None, description="The best score of an answer; None where answers have none.")

    @classmethod
    def of(cls, task: Task[Any], examples: Iterable[Any], outputs: Iterable[Any]) -> Usual:
        """Return what examples and their outputs are like."""
        names = list(task.Input.model_fields)
        lengths = (sum(length_of(getattr(example, name)) for name in names) for example in examples)
        return cls(lengths=Spread.of(lengths), scores=Spread.of(_known(map(top_score, outputs))))


def length_of(value: Any) -> int:  # Any: an Input, or what its fields hold
    """Return how many characters all texts of an input have together."""
    return sum(map(len, texts_in(value)))


def top_score(output: Any) -> float | None:  # Any: an Output
    """Return the best score of an answer; None where it has none."""
    scores = getattr(output, "scores", None)
    if isinstance(scores, dict) and scores and all(isinstance(one, float) for one in scores.values()):
        return float(max(scores.values()))
    score = getattr(output, "score", None)
    return score if isinstance(score, float) else None


def _known(values: Iterable[float | None]) -> Iterator[float]:
    return (value for value in values if value is not None)
