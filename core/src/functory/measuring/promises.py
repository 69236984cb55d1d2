"""What a function promises of its answers, and whether examples that it has not seen bear it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from functory.measuring.rates import highest_rate, lowest_rate

if TYPE_CHECKING:
    from functory.contracts.certainty import Certainty
    from functory.contracts.trust import Abstaining, Sets

CONFIDENCE = 0.95
"""Of what is promised where a function abstains, and of the intervals of checks."""


class Promise(BaseModel):
    """A promise that was made on untouched rows, and its check on other ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["abstain", "sets"] = Field(
        description="abstain: of the inputs that are answered, no more are answered wrongly. sets: no more of the sets lack the "
        "right label."
    )
    at: float = Field(description="The share of failures that is promised.")
    confidence: float | None = Field(
        None, description="How often a function that was made so keeps it; None where it holds in the mean over such functions."
    )
    rows: int = Field(description="On how many untouched rows it was made.")
    limit: float = Field(
        description="abstain: the function answers where its score is above it. sets: labels as probable are in the set."
    )
    examples: int = Field(description="How many examples it is checked on: of abstain, those that were answered.")
    failures: int = Field(description="How many of these fail.")
    share: float = Field(description="The share of all examples that `examples` are: of abstain, what was answered.")
    rate: float = Field(description="The share of failures; 0 where nothing was answered.")
    low: float = Field(description="The lower end of its exact 95 % interval.")
    high: float = Field(description="The upper end.")
    size: float | None = Field(None, description="How many labels a set holds in the mean.")
    kept: bool = Field(description="Whether the examples bear it out: the interval does not lie beyond what is promised.")

    def line(self) -> str:
        """Return the promise and its check in one sentence."""
        verdict = "kept" if self.kept else "BROKEN"
        if self.kind == "abstain":
            return (
                f"Promised: at most {self.at:.1%} of answers wrong ({self.confidence or 0:.0%} confidence, {self.rows:,} "
                f"rows). On these examples {self.share:.1%} are answered, {self.rate:.1%} of them wrongly "
                f"({self.low:.1%} – {self.high:.1%}): {verdict}."
            )
        return (
            f"Promised: at least {1 - self.at:.1%} of sets hold the right label ({self.rows:,} rows). On these examples "
            f"{1 - self.rate:.1%} do ({1 - self.high:.1%} – {1 - self.low:.1%}), with {self.size or 0:.2f} labels in the mean: "
            f"{verdict}."
        )


def checked_promises(found: Certainty, outputs: Sequence[Any], state: Any) -> tuple[Promise, ...]:
    """Return what a function promises, and whether examples that it has not seen bear it out.

    :param outputs: for these examples.
    :param state: the function's; without promises where it is no `TrustState`.
    """
    abstaining, sets = getattr(state, "abstaining", None), getattr(state, "sets", None)
    kept = [_of_answers(found, outputs, abstaining)] if abstaining else []
    if sets and found.set_sizes is not None and found.is_in_set is not None:
        kept.append(_of_sets(found.set_sizes.tolist(), found.is_in_set.tolist(), sets))
    return tuple(kept)


def _of_answers(found: Certainty, outputs: Sequence[Any], promise: Abstaining) -> Promise:
    """Return the check of answers: of those given, how many are wrong."""
    answered = [not output.abstained for output in outputs]
    wrong = sum(is_given and not is_right for is_given, is_right in zip(answered, found.is_right.tolist(), strict=True))
    return Promise(
        kind="abstain", at=promise.at, confidence=promise.confidence, rows=promise.rows, limit=promise.limit,
        share=sum(answered) / len(outputs), **_rates(wrong, sum(answered), promise.at),
    )  # fmt: skip


def _of_sets(sizes: Sequence[int], has_right: Sequence[bool], promise: Sets) -> Promise:
    """Return the check of sets: how many lack the right label."""
    count = len(sizes)
    return Promise(
        kind="sets", at=promise.at, rows=promise.rows, limit=promise.least, share=1.0, size=sum(sizes) / count,
        **_rates(count - sum(has_right), count, promise.at),
    )  # fmt: skip


def _rates(failures: int, count: int, at: float) -> dict[str, Any]:
    """Return how many fail, with an exact interval (Clopper and Pearson 1934), and whether it lies beyond what is promised."""
    risk = (1 - CONFIDENCE) / 2
    low = lowest_rate(failures, count, risk) if count else 0.0
    return {
        "examples": count, "failures": failures, "rate": failures / count if count else 0.0, "low": low,
        "high": highest_rate(failures, count, risk) if count else 1.0, "kept": low <= at,
    }  # fmt: skip
