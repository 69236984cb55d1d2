"""The types that callers meet: input, output, example; the state; the options.

What is answered are the questions of the options, so that each function has an output and an example of its own.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, create_model, field_validator

from functory_decision.questions import Question, Value, name_of
from functory_decision.spelling import read
from functory_sdk import Input, Options, Output, State


class Text(Input):
    """What is decided about."""

    text: str = Field(description="The text that the questions are about.")


class AnsweredText(Text):
    """A text with the right answers; each question has a field of its own, and may have no answer in the data."""


class Decision(Output):
    """The answer to each question, in a field of its own, and how likely each possible answer is."""

    scores: dict[str, dict[str, float]] = Field(
        description="For each question the probability of each of its answers; those of a question are 1 together."
    )

    def _own(self) -> dict[str, Any]:
        """The answers first, then how likely they are."""
        own = super()._own()
        return {**{name: value for name, value in own.items() if name != "scores"}, "scores": own["scores"]}

    @property
    def answers(self) -> dict[str, Value]:
        """The answers alone, by question."""
        return {name: value for name, value in self._own().items() if name != "scores"}

    def sure(self, question: str) -> float:
        """Return the probability of the answer to a question; of a number, that of the nearest one that was asked for."""
        scores, answer = self.scores[question], self.answers[question]
        if isinstance(answer, float):
            return scores[min(scores, key=lambda level: abs(float(level) - answer))]
        return scores[name_of(answer)]

    def in_line(self, top: int = 3) -> str:
        """Each question with its answer and how sure it is."""
        told = [f"{name} {name_of(answer)} ({self.sure(name):.2f})" for name, answer in self.answers.items()]
        return ", ".join(told)

    def in_cells(self, top: int | None = None) -> dict[str, Any]:
        """A column for each answer, then one for how sure it is."""
        found: dict[str, Any] = {}
        for name, answer in self.answers.items():
            found |= {name: answer, f"{name}.score": self.sure(name)}
        return found

    def with_best(self, top: int) -> Self:
        """Return the output with the likeliest few answers to each question."""
        kept = {
            name: dict(sorted(scores.items(), key=lambda item: -item[1])[:top]) for name, scores in self.scores.items()
        }
        return self.model_copy(update={"scores": kept})


class Calibration(State):
    """How a question's likelihoods become probabilities: softmax(slope · (scores − silent) + biases)."""

    silent: tuple[float, ...] = ()
    """The log-probability of each answer where the text says nothing (Zhao et al. 2021); none where it is not subtracted."""
    slope: float = 1.0
    biases: tuple[float, ...] = ()
    """What held-out examples add for each answer; none before they were asked."""


class Decided(State):
    """What is learned: a calibration of each question."""

    calibrations: dict[str, Calibration] = {}


class DecisionOptions(Options):
    """Options of decisions."""

    questions: Annotated[dict[str, Question], BeforeValidator(read)] = Field(
        default={},
        description="What is asked, by name: a pydantic model of Literals, bools and bounded numbers, its JSON Schema, or a "
        "table of questions in a line each: 'positive, negative', 'How urgent is it? 1..5', 'Is a refund asked for?'.",
    )
    prompt: str = Field(
        default="",
        description="What is read before an answer, with {text} and {question}; one of our own when empty. The text goes first, "
        "so that it is read once for all questions.",
    )
    chat: Literal["auto", "off"] = Field(
        default="auto",
        description="auto: the prompt is a user's message in the backbone's chat template, where it has one. off: it is gone on "
        "from as it is.",
    )
    length: Literal["tokens", "none"] = Field(
        default="none",
        description="What an answer's log-probability is divided by: its tokens, so that a long one is not the less likely for "
        "it, or none.",
    )
    calibrate: bool = Field(
        default=True, description="Subtract each answer's likelihood where the text says nothing (Zhao et al. 2021)."
    )

    @field_validator("questions")
    @classmethod
    def _named(cls, questions: dict[str, Question]) -> dict[str, Question]:
        """Refuse names that no field of an answer can have."""
        for name in questions:
            if not name.isidentifier() or keyword.iskeyword(name) or name.startswith(("_", "model_")):
                raise ValueError(f"{name!r} is no name of a field: letters, digits and '_', as in Python")
            if name in ("text", "answers", "sure") or hasattr(Decision, name) or name in Decision.model_fields:
                raise ValueError(f"a question cannot be called {name!r}: every answer has that already")
        return questions


def type_of(question: Question) -> Any:  # Any: a type
    """Return the type of a question's answers."""
    if question.kind == "choice":
        return Literal[tuple(option.value for option in question.options)]
    if question.kind == "yes-no":
        return bool
    return int if question.is_whole else float


def output_of(questions: Mapping[str, Question]) -> type[Decision]:
    """Return the output's type, with a field for the answer to each question."""
    fields: dict[str, Any] = {
        name: (type_of(one), Field(description=one.asked(name), **_bounded(one))) for name, one in questions.items()
    }
    return create_model("Decision", __base__=Decision, __module__=__name__, __doc__=Decision.__doc__, **fields)


def example_of(questions: Mapping[str, Question]) -> type[AnsweredText]:
    """Return the example's type, with a field for the right answer to each question, which may be lacking."""
    fields: dict[str, Any] = {
        name: (
            Annotated[type_of(one) | None, BeforeValidator(_answer_reader(one))],
            Field(default=None, description=one.asked(name), **_bounded(one)),
        )
        for name, one in questions.items()
    }
    return create_model("AnsweredText", __base__=AnsweredText, __module__=__name__, __doc__=AnsweredText.__doc__, **fields)


def _bounded(question: Question) -> dict[str, Any]:
    """Return the bounds of a field."""
    return {"ge": question.low, "le": question.high} if question.kind == "number" else {}


def _answer_reader(question: Question) -> Any:  # Any: a function of pydantic's
    """Return what reads an answer as a table writes it: an option by its text, yes and no in words, nothing as no answer."""
    named = dict(zip(question.names, question.values, strict=True)) if question.kind == "choice" else {}
    said = {"是": True, "否": False, "有": True, "没有": False} if question.kind == "yes-no" else {}

    def read_answer(value: Any) -> Any:  # Any: a cell
        if isinstance(value, str):
            value = value.strip()
            if not value:
                return None
            return named.get(value, said.get(value, value))
        return value

    return read_answer
