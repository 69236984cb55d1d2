"""What a text must hold, must not hold, how long it is, and what a classifier should say of it: decided while it is written.

Plain data, which a recipe, a manifest, the command line and a single call all say in the same words, as a `Guide` is. A guide
says the whole form of a text; this says something of a text whose form is free.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, field_serializer, field_validator, model_validator

from functory.contracts.component import Options

UNSAVED = "unsaved:"
"""What a function that was given as an object is called in plain data, before its name: nobody can load it by that."""


def _ranged(given: Any) -> Any:  # Any: what a recipe or a caller says
    """Return a range that is said in short: ``30`` is at most 30, ``"20-30"`` and ``[20, 30]`` are both bounds."""
    if isinstance(given, bool):
        return given
    if isinstance(given, int):
        return (0, given)
    if isinstance(given, str) and (said := re.fullmatch(r"\s*(\d*)\s*(-|–|\.\.)?\s*(\d*)\s*", given)) and (said[1] or said[3]):
        least, is_open, most = said.groups()
        return (int(least or 0), int(most) if most else None) if is_open else (0, int(least))
    return given


Range = Annotated[
    tuple[Annotated[int, Field(ge=0, le=100_000)], Annotated[int, Field(ge=1, le=100_000)] | None], BeforeValidator(_ranged)
]
"""The least and the most of something; no most where it is None."""


class Toward(Options):
    """What a classifier should say of a text: each next token is weighed by what it says of the text with it (FUDGE, Yang and
    Klein 2021).
    """

    function: Any = Field(  # Any: a functory Function, whose class is above contracts
        description="A functory function that scores labels of one text: the folder or the name that `functory.load` takes, or "
        "the function itself, which a call alone can say."
    )
    label: str = Field(min_length=1, description="The label that it should give.")
    strength: float = Field(
        default=8.0, gt=0, le=100, allow_inf_nan=False,
        description="How much its log-probability of the label weighs beside the backbone's of the token; 1 is Bayes' rule.",
    )  # fmt: skip
    candidates: int = Field(
        default=12, ge=2, le=1000, description="So many of the likeliest tokens are weighed at each step, and no others come."
    )

    @field_validator("function")
    @classmethod
    def _function(cls, function: Any) -> Any:
        if isinstance(function, str):
            if not function:
                raise ValueError("an empty text names no function")
            return function
        if not callable(function) or not hasattr(function, "task"):
            raise ValueError("a functory function is wanted, or where one lies")
        return function

    @field_serializer("function", when_used="json")
    def _named(self, function: Any) -> str:
        return function if isinstance(function, str) else f"{UNSAVED}{function.name}"


class Control(Options):
    """What is decided of a text of free form: it holds when the text ends, or is refused before the first token."""

    must: tuple[str, ...] = Field(
        default=(), max_length=100,
        description="Words or phrases that stand in the text, small and large letters alike, as words of their own where "
        "a script has spaces.",
    )  # fmt: skip
    must_not: tuple[str, ...] = Field(
        default=(), max_length=10_000, description="Words or phrases that do not stand in it, whatever their tokens."
    )
    words: Range | None = Field(
        default=None,
        description="How many words it has: '20-30', 30 for at most so many, '20-' for at least; a Chinese character is one. "
        "It ends with a sentence then.",
    )
    characters: Range | None = Field(default=None, description="How many characters it has, likewise.")
    sentences: Range | None = Field(default=None, description="How many sentences it has, likewise.")
    toward: tuple[Toward, ...] = Field(
        default=(), max_length=16,
        description="Classifiers, and what each should say of it: {function = 'sentiment', label = 'positive'}.",
    )  # fmt: skip

    @model_validator(mode="before")
    @classmethod
    def _said(cls, given: Any) -> Any:  # Any: what a recipe or a caller says
        if not isinstance(given, str):
            return given
        try:
            return json.loads(given)
        except ValueError:
            raise ValueError("a text alone does not say what it is: {must = ['sun'], words = '20-30'}") from None

    @field_validator("must", "must_not", mode="before")
    @classmethod
    def _listed(cls, said: Any) -> Any:  # Any: likewise
        return (said,) if isinstance(said, str) else said

    @field_validator("toward", mode="before")
    @classmethod
    def _one(cls, said: Any) -> Any:  # Any: likewise
        return (said,) if isinstance(said, Mapping | Toward) else said

    @field_validator("must", "must_not")
    @classmethod
    def _spelled(cls, said: tuple[str, ...]) -> tuple[str, ...]:
        if any(not one.strip() for one in said):
            raise ValueError("an empty text stands everywhere")
        if any("\0" in one or "\ufffd" in one for one in said):
            raise ValueError("no text that is written holds NUL, or the sign for what is no character")
        return tuple(dict.fromkeys(" ".join(one.split()) for one in said))

    @field_validator("words", "characters", "sentences")
    @classmethod
    def _ordered(cls, said: tuple[int, int | None] | None) -> tuple[int, int | None] | None:
        if said is not None and said[1] is not None and said[0] > said[1]:
            raise ValueError(f"at least {said[0]} and at most {said[1]} is nothing")
        return said

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        for wanted in self.must:
            barred = next((one for one in self.must_not if stands(one, wanted)), None)
            if barred is not None:
                raise ValueError(f"{wanted!r} must stand in the text, and {barred!r}, which is in it, must not")
        return self

    @property
    def is_free(self) -> bool:
        """Whether nothing is decided."""
        return self == Control()

    @property
    def has_length(self) -> bool:
        """Whether it says how long a text is."""
        return any(one is not None for one in (self.words, self.characters, self.sentences))


LETTER = re.compile(r"[^\W\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""A character of a word between spaces: no Thai, Japanese or Chinese one is."""


def stands(phrase: str, text: str) -> bool:
    """Return whether a phrase stands in a text, small and large letters alike: as words of its own, where a script has spaces.
    White space of any kind stands for one of its spaces.
    """
    before = rf"(?<!{LETTER.pattern})" if LETTER.match(phrase[0]) else ""
    after = rf"(?!{LETTER.pattern})" if LETTER.match(phrase[-1]) else ""
    words = r"\s".join(map(re.escape, phrase.split()))
    return re.search(f"{before}{words}{after}", text, flags=re.IGNORECASE) is not None
