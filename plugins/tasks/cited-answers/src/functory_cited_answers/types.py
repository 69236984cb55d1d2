"""The types that callers meet: a question with passages, the same with what is right, the answer, the options, the state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from functory_sdk import Input, NotBlank, Output, ShowingState, WriteOptions, plain
from functory_sdk.writes.held import HeldOptions

NOTHING = "no answer"
"""What is written where no passage says it."""


def listed(given: Any) -> Any:  # Any: what a caller gives
    """Return a text as one, and what says nothing as none."""
    given = plain(given)
    return (given,) if isinstance(given, str) and given.strip() else () if given in (None, "") else given


def _texts(given: Any) -> Any:  # Any: what the data hold
    """Return right answers as texts: given as texts, or as objects with one, as SQuAD's data have them."""
    given = listed(given)
    if isinstance(given, Mapping):
        given = given.get("text", ())
        given = (given,) if isinstance(given, str) else given
    if isinstance(given, list | tuple):
        return tuple(one.get("text") if isinstance(one, Mapping) else one for one in given)
    return given


class Asked(Input):
    """A question, and the passages that may answer it."""

    question: NotBlank = Field(description="The question.")
    passages: Annotated[tuple[NotBlank, ...], BeforeValidator(listed)] = Field(
        description="The passages, as many as you like; a text alone is one. Without any there is no answer."
    )


class Answered(Asked):
    """A question with its passages, what answers it, and the passages that say so."""

    answers: Annotated[tuple[NotBlank, ...], BeforeValidator(_texts)] = Field(
        default=(), description="The right answers, any of which counts; none where the passages do not say it."
    )
    citations: Annotated[tuple[int, ...], BeforeValidator(listed)] = Field(
        default=(), description="The passages that say it, counted from 0; those that hold an answer, where none are given."
    )

    @field_validator("citations", mode="before")
    @classmethod
    def _one(cls, given: Any) -> Any:  # Any: what the data hold
        return (given,) if isinstance(given, int) else given

    @model_validator(mode="after")
    def _there(self) -> Answered:
        """Refuse citations of passages that there are not."""
        for place in self.citations:
            if not 0 <= place < len(self.passages):
                raise ValueError(f"citations names passage {place}, and there are {len(self.passages)}, counted from 0")
        return self

    @property
    def sources(self) -> tuple[int, ...]:
        """The passages that say it: those that are given, or that hold an answer."""
        if self.citations or not self.answers:
            return tuple(dict.fromkeys(self.citations))
        return tuple(place for place, text in enumerate(self.passages) if any(one in text for one in self.answers))


class Citation(BaseModel):
    """A passage that an answer is taken from."""

    model_config = ConfigDict(frozen=True)

    passage: int = Field(description="Which passage, counted from 0.")
    start: int | None = Field(default=None, description="The answer's first character in it, where it stands there, from 0.")
    end: int | None = Field(default=None, description="The character after the answer's last.")


class CitedAnswer(Output):
    """An answer, and where it is said."""

    answer: str | None = Field(description="The answer; null where the passages do not say it.")
    citations: tuple[Citation, ...] = Field(default=(), description="The passages that say it, each one of those given.")
    score: float = Field(description="The probability with which just this was written, 0 to 1.")

    def in_line(self, top: int = 3) -> str:
        """The answer with the numbers of its passages."""
        cited = "".join(f"[{one.passage}]" for one in self.citations)
        return f"{NOTHING} {self.score:.3f}" if self.answer is None else f"{self.answer} {cited} {self.score:.3f}"

    def in_cells(self, top: int | None = None) -> dict[str, Any]:
        cited = " ".join(str(one.passage) for one in self.citations)
        return {"answer": self.answer, "citations": cited, "score": self.score}


class Showing(ShowingState):
    """Nothing is learned but the examples that are shown, and whether there may be no answer."""

    may_lack: bool = True


class CitedOptions(HeldOptions, WriteOptions):
    """Options of cited answers."""

    max_new_tokens: int = Field(default=64, ge=1, le=100_000, description="How many tokens an answer has at most.")
    prompt: str = Field(
        default="",
        description="What is read before the answer, with {passages} and {question}; what stands after {examples} is what each "
        "example that is shown looks like, too. One of our own when empty.",
    )
    verbatim: bool = Field(
        default=True,
        description="The answer is a stretch of the first passage that it cites, as it stands there. Without it a model puts it "
        "in its own words, and may invent.",
    )
    longest: int = Field(default=200, ge=1, le=100_000, description="Characters of the longest answer.")
    citations: int = Field(default=3, ge=1, le=100, description="How many passages an answer cites at most, one at least.")
    unanswered: Literal["auto", "never", "some"] = Field(
        default="auto",
        description="Whether there may be no answer, as the passages do not say it. auto: unless all training examples have one.",
    )
    scorer: Literal["auto", "squad", "cmrc"] = Field(
        default="auto",
        description="How answers are compared. squad: without case, punctuation and articles, by shared words. cmrc: by their "
        "longest common run of Chinese characters and other words. auto: cmrc where most questions are Chinese.",
    )

    @field_validator("guide", "samples")
    @classmethod
    def _own(cls, given: Any) -> Any:  # Any: a guide, a number
        if given not in (None, 1):
            raise ValueError("an answer has a form of its own, and is one")
        return given
