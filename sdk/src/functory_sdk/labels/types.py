"""The output of tasks that label, their state and their options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, Field, model_validator

from functory.contracts.labels import LabelRules
from functory.contracts.shown import ShowingState
from functory.contracts.task import State
from functory.contracts.telling import best, listed
from functory.contracts.trust import TrustOutput, TrustState

Mode = Literal["single", "binary", "multi", "path", "ordinal"]
Sureness = Literal["probability", "energy"]
"""What is put to the limit below which a function declines: the likeliest label's probability, or the logits' energy."""


class Classification(TrustOutput):
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
        among = f", among {', '.join(self.prediction_set)}" if self.prediction_set else ""
        return (f"{told} ({beside})" if beside else told) + among


C = TypeVar("C", bound=Classification)


class PathClassification(Classification):
    """Where the input stands in a hierarchy of labels."""

    path: tuple[str, ...] = Field(default=(), description="The steps of the label, from the top; a path may end early.")
    levels: tuple[dict[str, float], ...] = Field(
        default=(),
        description="At each level, from the top, the probability of every path down to there: the sum of all that it leads to.",
    )

    def with_best(self, top: int) -> Self:
        """Return the output with the best few paths, at each level too."""
        return super().with_best(top).model_copy(update={"levels": tuple(best(level, top) for level in self.levels)})

    def in_cells(self, top: int | None = None) -> dict[str, Any]:
        """Return the answer as the cells of a table's row; the levels are written as JSON."""
        shown = self if top is None else self.model_copy(update={"levels": tuple(best(one, top) for one in self.levels)})
        return super(PathClassification, shown).in_cells(top)


class Rating(Classification):
    """How the input was rated: one of several labels that have an order."""

    value: float = Field(description="The expected rating: each label's number, weighed by its probability.")

    def in_line(self, top: int = 3) -> str:
        """The rating, its number, and the likeliest labels."""
        return f"{super().in_line(top)}, value {self.value:.2f}"


class InScope(BaseModel):
    """What an output has of a function that may decline to answer."""

    in_scope: float = Field(
        description="How much speaks for the input being one of the labels, and none that the function does not know; below "
        "the limit that was tuned, it declines."
    )


class ScopedClassification(InScope, Classification):
    """What the input was classified as, or that it is none of the labels."""


class ScopedPathClassification(InScope, PathClassification):
    """Where the input stands in a hierarchy of labels, or that it is in none of it."""


class Scope(State):
    """When a function declines to answer, and what it says then."""

    by: Sureness = "probability"
    label: str = ""
    """What inputs are called that are none of the labels; such an answer has no label where it is empty."""
    limit: float | None = None
    """Below it nothing is answered; None before it is tuned."""
    answered: float = 0.95
    """The share of held-out examples that is answered, where none of them is out of scope."""


class Prompted(State):
    """How the likelihoods of label words become probabilities: softmax(slope · (scores − silent) + biases)."""

    silent: tuple[float, ...] = ()
    """How likely each label is where nothing is said; none where that is not subtracted."""
    slope: float = 1.0
    biases: tuple[float, ...] = ()
    """What held-out examples add for each label; none before they were asked."""


class Labels(TrustState, ShowingState):
    """What the task learned: the labels in their order, and where each begins to be given."""

    labels: tuple[str, ...] = ()
    mode: Mode = "single"
    thresholds: tuple[float, ...] = ()
    """One per label (multi), one (binary), none (one of several)."""
    separator: str = ""
    """What stands between the steps of a label (path)."""
    numbers: tuple[float, ...] = ()
    """The number that each label stands for, up or down (ordinal)."""
    scope: Scope | None = None
    """Where the function may decline; the label of what is out of scope comes last where it was learned."""
    prompted: Prompted | None = None
    """As a prompt: what was learned of the likelihoods of the labels' words."""

    @property
    def is_one(self) -> bool:
        """Whether one of several labels is right, so that their probabilities share one whole."""
        return self.mode in ("single", "path", "ordinal")

    @property
    def answers(self) -> tuple[str, ...]:
        """Every label that may be answered: what is out of scope too, learned or not."""
        named = self.scope.label if self.scope else ""
        return (*self.labels, named) if named and named not in self.labels else self.labels

    @property
    def spellings(self) -> tuple[str, ...]:
        """What is spelled rightly: every answer, and of paths every step."""
        if not self.separator:
            return self.answers
        cut = self.separator.strip() or self.separator
        return tuple(dict.fromkeys(step.strip() for label in self.answers for step in label.split(cut)))

    @property
    def inside(self) -> int:
        """How many of the labels, the first, are in scope."""
        return len(self.labels) - bool(self.scope and self.labels[-1:] == (self.scope.label,))

    @property
    def may_be_none(self) -> bool:
        """Whether an answer may have no label."""
        return self.mode == "multi" or self.abstaining is not None or bool(self.scope and not self.scope.label)


class LabelOptions(LabelRules):
    """Options of every task that labels."""

    mode: Literal["auto", "single", "binary", "multi", "path", "ordinal"] = Field(
        default="auto",
        description="single: one of several labels (softmax). binary: one label or not (sigmoid, threshold tuned on dev). "
        "multi: any number of labels (sigmoid each). path: one of several labels in a hierarchy, 'hardware/printer/jam'. "
        "ordinal: one of several labels that have an order, as ratings have. auto: multi where an example has a list, else "
        "single.",
    )
    separator: str = Field(
        default="",
        description="What stands between several labels in one text: ',' reads 'red,car' as two. None if empty. In a path, what "
        "stands between its steps: '/' if empty.",
    )
    positive: str = Field(default="", description="The label that a binary function looks for; the rarer one if not given.")
    prompt: str = Field(
        default="",
        description="As a prompt: what is read before a label, its texts in braces: {text}; the task's own if not given.",
    )
    descriptions: dict[str, str] = Field(
        default={},
        description="What a label means, in words; the label itself if not given. As a prompt, what is likely after it; with "
        "adaptation = 'descriptions', what texts are compared with. labels may be a table of both: {billing = 'about invoices'}.",
    )
    calibrate: bool = Field(
        default=True,
        description="As a prompt: subtract each label's likelihood where the text says nothing, as it was at the build (Zhao et "
        "al. 2021); and fit a slope and a bias for each label to dev, where there is some.",
    )
    out_of_scope: str = Field(
        default="",
        description="The label, in the data, of inputs that are none of the others: the function declines to answer such. It "
        "may stand in all splits, or in dev and test alone.",
    )
    abstain: Literal["auto", "never", "probability", "energy"] = Field(
        default="auto",
        description="What tells an input that is none of the labels: the probability of the likeliest one is low (Hendrycks "
        "and Gimpel 2017), or the energy of its logits is (Liu et al. 2020). The limit is tuned on dev. auto: probability "
        "where out_of_scope is named, else never.",
    )
    answered: float = Field(
        default=0.95, gt=0, le=1,
        description="Where dev has no input that is out of scope, the limit is put so that this share of dev is answered.",
    )  # fmt: skip

    @property
    def sureness(self) -> Sureness | None:
        """What is put to the limit; None where the function always answers."""
        if self.abstain == "auto":
            return "probability" if self.out_of_scope else None
        return None if self.abstain == "never" else self.abstain

    @model_validator(mode="before")
    @classmethod
    def _both(cls, given: Any) -> Any:  # Any: what pydantic is given
        """Take labels and what they mean from one table."""
        if not isinstance(given, Mapping) or not isinstance(given.get("labels"), Mapping):
            return given
        meant = {label: words for label, words in given["labels"].items() if words}
        return {**given, "labels": tuple(given["labels"]), "descriptions": {**meant, **given.get("descriptions", {})}}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Refuse to decline where several labels, one alone, or numbers are asked for."""
        if self.sureness and self.mode not in ("auto", "single", "path"):
            raise ValueError(f"mode = {self.mode!r} declines nothing: leave out out_of_scope and abstain, or use mode = 'single'")
        if self.out_of_scope and self.abstain == "never":
            raise ValueError(f"out_of_scope = {self.out_of_scope!r}, and abstain = 'never': leave one of them out")
        return self


def output_type(mode: str, *, is_scoped: bool) -> type[Classification]:
    """Return the type of a function's outputs."""
    if is_scoped:
        return ScopedPathClassification if mode == "path" else ScopedClassification
    if mode == "path":
        return PathClassification
    return Rating if mode == "ordinal" else Classification
