"""The types that callers meet: input, example, output; and the state."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from functory_sdk import Input, Options, Output, State

Mode = Literal["single", "binary", "multi"]


class Text(Input):
    """A text to classify."""

    text: str = Field(min_length=1, description="The text to classify.")


class LabelledText(Text):
    """A text with its label, or its labels."""

    label: str | tuple[str, ...] = Field(description="The right label; a list of them for multi-label data.")

    @property
    def labels(self) -> tuple[str, ...]:
        """All right labels."""
        return (self.label,) if isinstance(self.label, str) else self.label


class Classification(Output):
    """What the text was classified as."""

    label: str | None = Field(
        description="The likeliest label; for multi-label functions None when none reaches its threshold."
    )
    score: float = Field(description="The probability of that label, 0 to 1.")
    scores: dict[str, float] = Field(description="The probability of each label.")
    labels: tuple[str, ...] = Field((), description="Every label given; several or none for multi-label functions.")


class Labels(State):
    """What the task learned: the labels in their order, and where each begins to be given."""

    labels: tuple[str, ...] = ()
    mode: Mode = "single"
    thresholds: tuple[float, ...] = ()
    """One per label (multi), one (binary), none (single)."""


class ClassificationOptions(Options):
    """Options of text classification."""

    mode: Literal["auto", "single", "binary", "multi"] = Field(
        "auto",
        description="single: one of several labels (softmax). binary: one label or not (sigmoid, threshold tuned on dev). "
        "multi: any number of labels (sigmoid each). auto: multi where an example has a list, else single.",
    )
    labels: tuple[str, ...] = Field(
        (), description="The labels in their order; taken from the training data if not given."
    )
    positive: str = Field("", description="The label that a binary function looks for; the rarer one if not given.")
    prompt: str = Field(
        "{text}\n\nThe text above is",
        description="Zero-shot: what a decoder reads before the label; {text} is replaced.",
    )
    descriptions: dict[str, str] = Field(
        {}, description="Zero-shot: the words whose likelihood stands for a label; the label itself if not given."
    )
    calibrate: bool = Field(
        True, description="Zero-shot: subtract each label's likelihood without any text (Zhao et al. 2021)."
    )
