"""The types that callers meet: input, example, output; what is learned; the options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from functory_question_answering.golds import Gold, listed, placed
from functory_sdk import HeldOptions, Input, Output, ShowingState


class Question(Input):
    """A question, and the text in which its answer is looked for."""

    question: str = Field(min_length=1, description="The question.")
    context: str = Field(min_length=1, description="The text in which to find the answer.")

    @field_validator("question")
    @classmethod
    def _asked(cls, question: str) -> str:
        if not question.strip():
            raise ValueError("a question of white space asks nothing")
        return question


def _fit(answers: tuple[Gold, ...], info: ValidationInfo) -> tuple[Gold, ...]:
    context = info.data.get("context")
    return answers if context is None else placed(answers, context)


class AnsweredQuestion(Question):
    """A question with its context and the right answers: stretches of the context, none where it does not answer."""

    answers: Annotated[tuple[Gold, ...], BeforeValidator(listed), AfterValidator(_fit)] = Field(
        (), description="The right answers, any of which counts; none where the context has no answer."
    )

    start: int | None = Field(None, exclude=True, description="An answer's first character, where it has a column of its own.")
    is_impossible: bool | None = Field(None, exclude=True, description="The context has no answer, where a column says so.")

    @model_validator(mode="before")
    @classmethod
    def _joined(cls, data: Any) -> Any:  # Any: whatever the data hold
        """Read an answer's text and its offset that lie in two columns, and what is marked as having no answer."""
        if not isinstance(data, Mapping):
            return data
        data = dict(data)
        start, impossible = data.pop("start", None), data.pop("is_impossible", None)
        if impossible in (True, "true", "True", "1", 1):
            return {**data, "answers": ()}
        if start is not None and start != "" and isinstance(data.get("answers"), str):
            data["answers"] = [{"text": data["answers"], "start": start}]
        return data



class Stretch(BaseModel):
    """A part of the context, with the probability that it is the answer."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(description="The stretch as it stands in the context.")
    start: int = Field(description="Its first character, from 0.")
    end: int = Field(description="The character after its last: context[start:end] is the stretch.")
    score: float = Field(description="The probability that it is the answer, 0 to 1.")

    def in_line(self, top: int = 3) -> str:
        """The stretch and its score."""
        return f"{self.text} {self.score:.3f}"


class Answer(Output):
    """The answer to a question: a stretch of its context, or none."""

    answer: str | None = Field(description="The likeliest answer as it stands in the context; None where there is none.")
    start: int | None = Field(default=None, description="Its first character in the context, from 0.")
    end: int | None = Field(default=None, description="The character after its last: context[start:end] is the answer.")
    score: float = Field(description="The probability of that answer, or that there is none, 0 to 1.")
    none_score: float | None = Field(
        default=None, description="The probability that the context has no answer; None where every training example has one."
    )
    answers: tuple[Stretch, ...] = Field(
        default=(), description="The likeliest stretches, best first, none overlapping another; the best one even where it is "
        "not given as the answer.",
    )  # fmt: skip

    def in_line(self, top: int = 3) -> str:
        """The answer, then the next best in parentheses."""
        others = [one for one in self.answers if (one.start, one.end) != (self.start, self.end)]
        beside = ", ".join(one.in_line() for one in others[: max(0, top - 1)])
        told = f"{'no answer' if self.answer is None else self.answer} {self.score:.3f}"
        return f"{told} ({beside})" if beside else told


class Answers(ShowingState):
    """What the task learned: whether there may be no answer, and from where on one is given."""

    may_lack: bool = False
    """Some training examples have no answer."""
    threshold: float = 0.0
    """By how much the log-probability of the best stretch is above that of none, where it is given."""
    longest: int = 30
    """Characters of the longest answer that is looked for."""


class AnsweringOptions(HeldOptions):
    """Options of question answering."""

    max_new_tokens: int = Field(
        default=48, ge=1, le=100_000, description="On a backbone that writes: how many tokens an answer has at most."
    )

    overlap: int = Field(
        default=128, ge=0, le=4096,
        description="Tokens of the context that the windows of a long one share, at most half a window.",
    )  # fmt: skip
    answers: int = Field(default=3, ge=1, le=100, description="How many stretches are told, with their scores.")
    longest: int = Field(
        default=0, ge=0, le=100_000,
        description="Characters of the longest answer; when 0, half as many again as 99 in 100 of training have at most, or 30.",
    )  # fmt: skip
    unanswered: Literal["auto", "never", "some"] = Field(
        default="auto",
        description="Whether a context may have no answer. auto: where some training examples have none; a head made elsewhere "
        "always answers.",
    )
    offsets: Literal["repair", "refuse"] = Field(
        default="repair",
        description="What an answer that does not stand at its offset becomes. repair: the nearest place where it stands, noted "
        "with count and first row. refuse: an error.",
    )
    scorer: Literal["auto", "squad", "cmrc"] = Field(
        default="auto",
        description="How texts are compared. squad: without case, punctuation and articles, by shared words. cmrc: by their "
        "longest common run of Chinese characters and other words. auto: cmrc where most questions are Chinese.",
    )
