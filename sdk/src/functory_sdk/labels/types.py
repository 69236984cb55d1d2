"""The output of tasks that label, their state and their options."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from functory.contracts.labels import LabelRules
from functory.contracts.task import Output, State
from functory.contracts.telling import best, listed

Mode = Literal["single", "binary", "multi"]


class Classification(Output):
    """What the input was classified as."""

    label: str | None = Field(
        description="The likeliest label; for multi-label functions None when none reaches its threshold."
    )
    score: float = Field(description="The probability of that label, 0 to 1.")
    scores: dict[str, float] = Field(description="The probability of each label.")
    labels: tuple[str, ...] = Field(default=(), description="Every label given; several or none for multi-label functions.")

    def in_line(self, top: int = 3) -> str:
        """The labels given, then the likeliest of the others in parentheses."""
        others = {name: score for name, score in best(self.scores, None).items() if name not in self.labels}
        given = {name: self.scores[name] for name in self.labels if name in self.scores}
        told = listed(best(given, None)) or ", ".join(self.labels) or self.label or "no label"
        beside = listed(best(others, max(0, top - len(given))))
        return f"{told} ({beside})" if beside else told


class Labels(State):
    """What the task learned: the labels in their order, and where each begins to be given."""

    labels: tuple[str, ...] = ()
    mode: Mode = "single"
    thresholds: tuple[float, ...] = ()
    """One per label (multi), one (binary), none (single)."""


class LabelOptions(LabelRules):
    """Options of every task that labels."""

    mode: Literal["auto", "single", "binary", "multi"] = Field(
        default="auto",
        description="single: one of several labels (softmax). binary: one label or not (sigmoid, threshold tuned on dev). "
        "multi: any number of labels (sigmoid each). auto: multi where an example has a list, else single.",
    )
    separator: str = Field(
        default="", description="What stands between several labels in one text: ',' reads 'red,car' as two. None if empty."
    )
    positive: str = Field(default="", description="The label that a binary function looks for; the rarer one if not given.")
    prompt: str = Field(
        default="",
        description="As a prompt: what is read before a label, its texts in braces: {text}; the task's own if not given.",
    )
    descriptions: dict[str, str] = Field(
        default={}, description="As a prompt: the words whose likelihood stands for a label; the label itself if not given."
    )
    calibrate: bool = Field(
        default=True, description="As a prompt: subtract each label's likelihood without any text (Zhao et al. 2021)."
    )
