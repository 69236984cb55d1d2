"""What a build tried before it chose an adaptation: how each did on rows that its fit had not seen, and which is preferred."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from functory.measuring.intervals import Scorer

SEED, RESAMPLES = 0, 400
"""Resampling draws the same rows for every candidate, whatever the recipe's seed; it counts resamples, never seconds."""
TAIL = 2.5
"""Percent beyond either end of an interval."""


class Trial(BaseModel):
    """One adaptation that was fitted, or could not be, and how it did."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    adaptation: str = Field(description="Its name.")
    options: dict[str, Any] = Field({}, description="The options that it was given.")
    metric: str = Field("", description="The metric by which they were held against each other.")
    score: float | None = Field(None, description="Its value on rows that the fit had not seen; None where it was not fitted.")
    low: float | None = Field(None, description="The lower end of a 95 % interval.")
    high: float | None = Field(None, description="The upper end.")
    examples: int = Field(0, ge=0, description="How many examples were scored.")
    folds: int = Field(0, ge=0, description="In how many folds they were held out; 0 for dev.")
    steps: int = Field(0, ge=0, description="Steps of an optimiser that all its fits took together.")
    seconds: float = Field(0.0, ge=0, description="How long they took.")
    is_chosen: bool = False
    why_not: str = Field("", description="Why it was not fitted; empty where it was.")

    @property
    def called(self) -> str:
        """The adaptation's name, with the options that it was given."""
        options = ", ".join(f"{name} = {value}" for name, value in self.options.items())
        return f"{self.adaptation} ({options})" if options else self.adaptation

    def __str__(self) -> str:
        name = self.called
        if self.score is None:
            return f"{name}: {self.why_not}"
        interval = f" ({self.low:.3f}–{self.high:.3f})" if self.low is not None and self.high is not None else ""
        return f"{name}: {self.metric} {self.score:.3f}{interval}"


def drawn(scorer: Scorer, count: int, metric: str) -> NDArray[np.float64]:
    """Return a metric on all examples, and on as many drawn from them, again and again: (1 + resamples,); −∞ where it is
    undefined.

    :param count: the number of examples.
    """
    generator = np.random.Generator(np.random.PCG64(SEED))
    parts = [np.arange(count, dtype=np.int64), *(generator.integers(0, count, count) for _ in range(RESAMPLES))]
    found = np.asarray([scorer(part).get(metric, np.nan) for part in parts], dtype=np.float64)
    return np.nan_to_num(found, nan=-np.inf, neginf=-np.inf)


def ends(scores: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Return the ends of the interval of what `drawn` gave."""
    defined = scores[1:][np.isfinite(scores[1:])]
    if not len(defined):
        return None, None
    low, high = np.percentile(defined, [TAIL, 100 - TAIL])
    return float(low), float(high)


def preferred(scores: Sequence[NDArray[np.float64]], certainty: float) -> int:
    """Return which candidate is preferred: the best on all examples, or one before it that it is not surely better than.

    Resamples on which both are equal speak for the one that costs less. They are many where few examples tell the two apart: one
    example alone, of however many, is drawn into 63 % of resamples only.

    :param scores: of each candidate what `drawn` gave, those that cost least first.
    :param certainty: the share of resamples on which the best must be better.
    """
    table = np.stack(scores)  # (candidates, 1 + resamples)
    best = int(table[:, 0].argmax())
    is_better = (table[best] > table).mean(axis=1)  # (candidates,)
    return next(place for place in range(best + 1) if place == best or is_better[place] < certainty)
