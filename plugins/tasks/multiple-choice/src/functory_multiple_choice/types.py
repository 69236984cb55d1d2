"""The types that callers meet: input, output, example; and the options."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from functory_sdk import Input, Options, ShowingState, TrustOutput, TrustState


def listed(value: Any) -> Any:  # Any: whatever a table or JSON holds
    """Return options as a list of texts: texts under their letters, or beside them as ARC has it, too."""
    if isinstance(value, Mapping):
        texts = value.get("text", value.get("texts"))
        value = texts if isinstance(texts, (list, tuple)) else list(value.values())
    if isinstance(value, (list, tuple)):
        return tuple(one.get("text", one) if isinstance(one, Mapping) else one for one in value)
    return value


class Question(Input):
    """A question, and the options of which one answers it."""

    question: str = Field(min_length=1, description="The question, or the text that an option goes on from.")
    options: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        description="What may be the answer: two options or more, no two alike."
    )
    context: str = Field(default="", description="A text that the answer is found in; none if empty.")

    @field_validator("question")
    @classmethod
    def _asked(cls, question: str) -> str:
        if not question.strip():
            raise ValueError("a question of white space asks nothing")
        return question

    @field_validator("options")
    @classmethod
    def _distinct(cls, options: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what is no choice."""
        if len(options) < 2:
            raise ValueError(f"a choice is among two options at least, and there {'is one' if options else 'are none'}")
        bare = [unicodedata.normalize("NFC", option.strip()) for option in options]
        if "" in bare:
            raise ValueError(f"option {bare.index('') + 1} is empty")
        twice = next((one for one in bare if bare.count(one) > 1), None)
        if twice is not None:
            raise ValueError(f"the option {twice!r} stands there twice, and neither could be told from the other")
        return options


class AnsweredQuestion(Question):
    """A question with its answer."""

    answer: str | int = Field(
        description="The right option: its text, its letter, or its number, counted from 0 unless the data count from 1."
    )

    @model_validator(mode="before")
    @classmethod
    def _by_own_labels(cls, given: Any) -> Any:  # Any: what pydantic is given
        """Read an answer by the labels that stand beside the options ({"text": …, "label": …}), where they do."""
        if not isinstance(given, Mapping) or not isinstance(given.get("options"), Mapping):
            return given
        options, answer = given["options"], given.get("answer")
        labels = options.get("label", options.get("labels")) if "text" in options or "texts" in options else list(options)
        texts = listed(options)
        if isinstance(labels, Sequence) and answer is not None and str(answer) in map(str, labels):
            place = [str(label) for label in labels].index(str(answer))
            return {**given, "answer": texts[place] if place < len(texts) else answer}
        return given

    @property
    def place(self) -> int | None:
        """Which option the answer is, from 0, by its text, its number or its letter; None where it is none of them."""
        return place_of(self.answer, self.options)

    @property
    def right(self) -> str:
        """The text of the right option; the answer as it was given, where it is none of them."""
        return str(self.answer) if self.place is None else self.options[self.place]


def place_of(answer: str | int, options: Sequence[str]) -> int | None:
    """Return which option an answer is, from 0: by its text, its number from 0, or its letter; None where it is none of them."""
    bare = [option.strip() for option in options]
    said = str(answer).strip()
    if isinstance(answer, str) and said in bare:
        return bare.index(said)
    number = number_of(answer)
    if number is None:
        letter = said.strip("().:[] ").upper()
        number = string.ascii_uppercase.find(letter) if len(letter) == 1 else -1
    return number if 0 <= number < len(bare) else None


def number_of(answer: str | int) -> int | None:
    """Return the number that an answer is; None where it is none."""
    said = str(answer).strip().removesuffix(".0")
    return int(said) if said.isascii() and said.isdecimal() else None


class Choice(TrustOutput):
    """Which option answers the question."""

    choice: str | None = Field(description="The option that is likeliest to be the answer; null where the function declines.")
    index: int | None = Field(description="Which one that is, counted from 0; null where it declines.")
    score: float = Field(description="The probability of the likeliest among the options, 0 to 1.")
    scores: dict[str, float] = Field(description="The probability of each option; together they are 1.")


class ChoiceState(TrustState, ShowingState):
    """What is learned: how far probabilities go, how much words count, and examples that a prompt shows."""

    lexical: float = Field(
        default=0.0, description="How much it counts, in log-odds, where words of an option meet those of the context; 0 where "
        "they are not looked at."
    )


class ChoiceOptions(Options):
    """Options of multiple choice."""

    first_number: Literal["auto", 0, 1] = Field(
        default="auto",
        description="What number the first option has in the data, where answers are numbers. auto: 1 where no answer is 0 and "
        "some is the number of its last option, else 0.",
    )
    lexical: bool = Field(
        default=True,
        description="With a head: where training examples show that it tells the answer, read beside each option how much of its "
        "words a sentence of the context holds, or two, and of the question's, rare words counting more.",
    )
    prompt: str = Field(
        default="{context}\n\nQuestion: {question}\nAnswer:",
        description="As a prompt: what a backbone that writes reads before an option; {context} is left out where there is none.",
    )
    length: Literal["tokens", "characters", "none"] = Field(
        default="tokens",
        description="As a prompt: what an option's likelihood is divided by, so that a long one is not the less likely for it.",
    )
    calibrate: bool = Field(
        default=False,
        description="As a prompt: subtract each option's likelihood without the question (Holtzman et al. 2021).",
    )
