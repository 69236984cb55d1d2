"""A question: what is asked, and what may be answered: one of some options, yes or no, a number between two bounds.

Apart from `schemas` and `spelling`, which read questions from pydantic models and from a line of text.
"""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from functory_sdk.spans.scripts import is_unspaced

Value = bool | int | float | str
"""What a question may be answered with."""
MOST_LEVELS = 21
"""So many whole numbers are each asked for; of more, and of numbers with a fraction, `LEVELS` that lie evenly."""
LEVELS = 11


class Option(BaseModel):
    """One of the answers of a choice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: StrictBool | StrictInt | StrictStr = Field(description="The answer.")
    words: str = Field("", description="What is written for it: its likelihood is the option's; the value itself when empty.")

    @field_validator("value", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:  # Any: JSON
        """Refuse what is no answer: a number with a fraction, a list."""
        if type(value) not in (bool, int, str):
            raise ValueError(f"an option is a text, a whole number or a truth value, and no {type(value).__name__}")
        return value

    @property
    def written(self) -> str:
        """What is written for it: words, not a name of a program."""
        return self.words or plain_words(str(self.value))


class Question(BaseModel):
    """A question about a text. With options it is a choice, with bounds a number, with neither a yes or no."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ask: str = Field("", description="The question in words; made of its name when empty.")
    options: tuple[Option, ...] = Field((), description="What may be chosen, in the user's order, which decides nothing.")
    low: float | None = Field(None, description="The least number that may be answered.")
    high: float | None = Field(None, description="The greatest.")
    step: float | None = Field(None, gt=0, description="What numbers are multiples of, from the least on; any when None.")
    is_whole: bool = Field(False, description="Whether only whole numbers may be answered.")

    @field_validator("options", mode="before")
    @classmethod
    def _listed(cls, options: Any) -> Any:  # Any: what a recipe says
        """Values alone, or values with their words, are options."""
        if isinstance(options, dict):
            return tuple({"value": value, "words": words or ""} for value, words in options.items())
        return tuple(one if isinstance(one, (dict, Option)) else {"value": one} for one in options)

    @model_validator(mode="after")
    def _answerable(self) -> Self:
        """Refuse what has no answer, or but one."""
        if self.options and (self.low is not None or self.high is not None):
            raise ValueError("a question has options or bounds, and not both")
        if self.options:
            _check_options(self.options)
        elif self.kind == "number":
            _check_bounds(self.low, self.high)
        return self

    @property
    def kind(self) -> Literal["choice", "number", "yes-no"]:
        """What sort of answer it has."""
        if self.options:
            return "choice"
        return "yes-no" if self.low is None and self.high is None else "number"

    @property
    def values(self) -> tuple[Value, ...]:
        """Every answer whose likelihood is asked for, in order."""
        if self.kind == "choice":
            return tuple(option.value for option in self.options)
        return (True, False) if self.kind == "yes-no" else self._levels()

    @property
    def words(self) -> tuple[str, ...]:
        """What is written for each of `values`."""
        if self.kind == "choice":
            return tuple(option.written for option in self.options)
        if self.kind == "yes-no":
            return ("是", "否") if any(map(is_unspaced, self.ask)) else ("Yes", "No")
        return self.names

    @property
    def names(self) -> tuple[str, ...]:
        """What each of `values` is called in scores; numbers with a fraction have as many digits all of them."""
        if self.kind != "number" or self.is_whole:
            return tuple(name_of(value) for value in self.values)
        digits = max(len(f"{value:g}".partition(".")[2]) for value in self.values)
        return tuple(f"{value:.{digits}f}" for value in self.values)

    def asked(self, name: str) -> str:
        """Return the question in words.

        :param name: the question's, of which they are made where it has none.
        """
        if self.ask:
            return self.ask
        words = plain_words(name)
        if self.kind == "choice":
            return f"What is the {words}?"
        between = f", from {self.low:g} to {self.high:g}" if self.kind == "number" else ""
        return f"{words[:1].upper()}{words[1:]}{between}?"

    def place_of(self, value: Value) -> int:
        """Return which of `values` an answer is; of a number the nearest one."""
        if self.kind != "number":
            return next(place for place, one in enumerate(self.values) if type(one) is type(value) and one == value)
        return min(range(len(self.values)), key=lambda place: abs(float(self.values[place]) - float(value)))

    def _levels(self) -> tuple[Value, ...]:
        """Return the numbers that are asked for."""
        low, high = float(self.low or 0), float(self.high or 0)
        step = self.step or (1.0 if self.is_whole else 0.0)
        count = math.floor((high - low) / step + 1e-9) + 1 if step else 0
        if step and count <= MOST_LEVELS:
            found = [low + place * step for place in range(count)]
        else:
            found = [low + (high - low) * place / (LEVELS - 1) for place in range(LEVELS)]
            found = [low + round((level - low) / step) * step for level in found] if step else found
        return tuple(dict.fromkeys(round(one) if self.is_whole else float(f"{one:.12g}") for one in found))


def unanswerable(why: str) -> PydanticCustomError:
    """Return the error of what is no question, which pydantic collects and the options' owner tells."""
    return PydanticCustomError("no_question", "{why}", {"why": why})


def name_of(value: Value) -> str:
    """Return what an answer is called in scores: as JSON writes it, a text as it is."""
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, str) else f"{value:g}"


def plain_words(name: str) -> str:
    """Return the words of a name: ``card_lost`` and ``cardLost`` are card lost. What has spaces is no name."""
    if " " in name or not re.search(r"_|[a-z][A-Z]", name):
        return name
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").strip().lower()


def _check_options(options: tuple[Option, ...]) -> None:
    """Refuse fewer than two, and two that nobody could tell apart."""
    if len(options) < 2:
        raise unanswerable(f"a choice is among two options at least, and there is one: {options[0].value!r}")
    for what, texts in (("option", [str(one.value) for one in options]), ("option in words", [one.written for one in options])):
        bare = [unicodedata.normalize("NFC", text.strip()) for text in texts]
        if "" in bare:
            raise unanswerable(f"{what} {bare.index('') + 1} is empty")
        twice = next((one for one in bare if bare.count(one) > 1), None)
        if twice is not None:
            raise unanswerable(f"the {what} {twice!r} stands there twice")


def _check_bounds(low: float | None, high: float | None) -> None:
    """Refuse a lacking bound, and two with nothing between them."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        raise unanswerable("a number needs both bounds, the least and the greatest: Field(ge=1, le=5)")
    if low >= high:
        raise unanswerable(f"no two numbers lie from {low:g} to {high:g}")
