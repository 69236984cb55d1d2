"""What a function promises of its answers, and whether examples that it has not seen bear it out."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


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
