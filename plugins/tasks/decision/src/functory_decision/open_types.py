"""The types of decisions whose questions come with the text: input, output, example, options."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from functory_decision.questions import Question, Value, name_of
from functory_decision.spelling import read
from functory_sdk import Input, Options, Output, State

MOST = 64
"""So many questions are answered about one text."""


class AskedText(Input):
    """A text, and what is asked about it."""

    text: str = Field(description="The text that the questions are about.")
    questions: Annotated[dict[str, Question], BeforeValidator(read)] = Field(
        min_length=1, max_length=MOST,
        description="What is asked, by any name: questions in a line each ('positive, negative', 'How urgent is it? 1..5', "
        "'Is a refund asked for?'), or as data: ask, options, low, high.",
    )  # fmt: skip


class AnsweredQuestions(AskedText):
    """A text and its questions, with the right answers to some of them."""

    answers: dict[str, Value] = Field(description="The right answers, by the question's name.")


class Decisions(Output):
    """The answer to each question, and how likely each possible answer is."""

    answers: dict[str, Value] = Field(description="The answers, by the question's name.")
    scores: dict[str, dict[str, float]] = Field(
        description="For each question the probability of each of its answers; those of a question are 1 together."
    )
    tokens: int = Field(default=0, description="How many tokens were read.")

    def in_line(self, top: int = 3) -> str:
        """Each question with its answer and how likely that is."""
        return ", ".join(f"{name} {name_of(one)} ({self.sure(name):.2f})" for name, one in self.answers.items())

    def in_cells(self, top: int | None = None) -> dict[str, Any]:
        """A column for each answer, then one for how likely it is."""
        found: dict[str, Any] = {}
        for name, answer in self.answers.items():
            found |= {name: answer, f"{name}.score": self.sure(name)}
        return found

    def sure(self, question: str) -> float:
        """Return the probability of the answer to a question; of a number, that of the nearest one that was asked for."""
        scores, answer = self.scores[question], self.answers[question]
        if isinstance(answer, float):
            return scores[min(scores, key=lambda level: abs(float(level) - answer))]
        return scores[name_of(answer)]


class Untaught(State):
    """Nothing is learned: each question is calibrated where it is asked."""


class OpenOptions(Options):
    """Options of decisions whose questions come with the text."""

    prompt: str = Field(
        default="", description="What is read before an answer, with {text} and {question}; one of our own when empty."
    )
    chat: Literal["auto", "off"] = Field(
        default="auto",
        description="auto: the prompt is a user's message in the backbone's chat template, where it has one. off: it is gone on "
        "from as it is.",
    )
    length: Literal["tokens", "none"] = Field(
        default="none", description="What an answer's log-probability is divided by: its tokens, or none."
    )
    silent: int = Field(
        default=3, ge=0, le=16,
        description="So many texts that say nothing are asked the same, and what is answered to them is subtracted (Zhao "
        "et al. 2021); each of them costs as much as a short text.",
    )  # fmt: skip
