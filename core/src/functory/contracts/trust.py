"""What a function learned of how far its scores go: their temperature, and what it promises of its answers.

A task whose answers have probabilities keeps it in its State, and its formulations go by it in `decode`.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from functory.contracts.task import Output, State

FEWEST_TO_CALIBRATE = 50
"""Rows from which a temperature is fitted: with fewer, chance moves it by as much as what it mends."""

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class Abstaining(BaseModel):
    """The promise that no more answers are wrong than it says, and the limit that keeps it."""

    model_config = _FROZEN

    at: float = Field(gt=0, lt=1, description="The share of the answers that may be wrong.")
    confidence: float = Field(gt=0, lt=1, description="How often a function that was made so keeps it.")
    limit: float = Field(ge=0, le=1, description="It answers where the probability of its answer is above it.")
    rows: int = Field(ge=1, description="How many untouched rows the limit was found on.")


class Sets(BaseModel):
    """The promise that no more prediction sets lack the right label than it says, and what is in a set."""

    model_config = _FROZEN

    at: float = Field(gt=0, lt=1, description="The share of the sets that may lack it.")
    least: float = Field(ge=0, le=1, description="A label that is as probable is in the set, and so is the likeliest.")
    rows: int = Field(ge=1, description="How many untouched rows it was found on.")


class TrustState(State):
    """The state of a task whose answers have a probability."""

    temperature: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """What log-probabilities, or logits, are divided by before they become probabilities (Guo et al. 2017)."""
    abstaining: Abstaining | None = None
    sets: Sets | None = None

    @property
    def is_calibrated(self) -> bool:
        """Whether probabilities are others than the head's own."""
        return self.temperature != 1

    def uncalibrated(self) -> Self:
        """Return the state without calibration, and without promises, which are about calibrated scores."""
        return self.model_copy(update={"temperature": 1.0, "abstaining": None, "sets": None})

    def declines(self, sure: float) -> bool:
        """Whether an answer of such a probability is not given."""
        return self.abstaining is not None and sure <= self.abstaining.limit


class TrustOutput(Output):
    """An output whose answer is one of several with a probability each."""

    prediction_set: tuple[str, ...] = Field(
        default=(),
        description="What may be right, the likeliest first: the right one is among it as often as was promised by sets_at; "
        "empty where nothing was.",
    )

    def _own(self) -> dict[str, Any]:
        """The task's own fields, and after them the set where there is one."""
        own = super()._own()
        found = own.pop("prediction_set")
        return {**own, "prediction_set": found} if found else own


def prediction_set(scores: dict[str, float], state: TrustState) -> tuple[str, ...]:
    """Return what may be right, the likeliest first; empty where nothing is promised.

    Split conformal prediction, by the least probability of a right label on untouched rows (Sadinle et al. 2019, Least ambiguous
    set-valued classifiers with bounded error levels). The likeliest is in it always: an empty set is no answer.

    :param scores: the probability of each, as the output tells it.
    """
    if state.sets is None or not scores:
        return ()
    likeliest = max(scores, key=scores.__getitem__)
    others = (name for name, score in scores.items() if score >= state.sets.least and name != likeliest)
    return (likeliest, *sorted(others, key=lambda name: -scores[name]))


def nearest(sure: float, scores: dict[str, float], state: TrustState) -> float:
    """Return how far the probabilities are from a promise's limit, where an answer becomes another; infinity without promises."""
    apart = [abs(sure - state.abstaining.limit)] if state.abstaining else []
    if state.sets:
        apart += [abs(score - state.sets.least) for score in scores.values()]
    return min(apart, default=float("inf"))
