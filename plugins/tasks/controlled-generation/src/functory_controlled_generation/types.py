"""The types that callers meet: what is asked for, what came, the options."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from functory_sdk import Control, Input, WriteOptions, Written

LENGTHS = ("words", "characters", "sentences")


class ControlledOptions(WriteOptions):
    """Options of controlled generation: `control` is what holds for every text; an input may ask for more."""

    max_new_tokens: int = Field(default=96, ge=1, le=100_000, description="How many tokens are written at most.")
    is_told: bool = Field(default=True, description="Whether the prompt says what is asked of the text.")
    is_held: bool = Field(
        default=True,
        description="Whether the text is held to it while it is written. If not, the prompt alone says it, and all is chance.",
    )
    like: tuple[str, ...] = Field(
        default=(), max_length=64, description="Texts in whose manner each text is to be written: they stand before the prompt."
    )


def _listed(said: Any) -> Any:  # Any: what a caller or a row says
    """Return words that are parted by semicolons or commas, as tables have them, as a list."""
    if not isinstance(said, str):
        return () if said is None else said
    return tuple(one.strip() for one in said.replace("；", ";").replace(";", ",").replace("，", ",").split(",") if one.strip())


def _counted(said: Any) -> Any:  # Any: likewise
    """Return a number of a table's, or no value, as the text that it is."""
    return "" if said is None else str(said) if isinstance(said, int) and not isinstance(said, bool) else said


Count = Annotated[str, BeforeValidator(_counted)]
Phrase = Annotated[str, Field(max_length=100)]
Words = Annotated[tuple[Phrase, ...], BeforeValidator(_listed)]


class Asked(Input):
    """What a text is to be about, and what is asked of it besides."""

    text: str = Field(description="The prompt.")
    must: Words = Field(default=(), description="Words or phrases that stand in the text.")
    must_not: Words = Field(default=(), description="Words or phrases that do not.")
    words: Count = Field(default="", description="How many words it has: '20-30', '30' for at most so many, '20-' for at least.")
    characters: Count = Field(default="", description="How many characters it has, likewise.")
    sentences: Count = Field(default="", description="How many sentences it has, likewise.")

    @property
    def control(self) -> Control:
        """What is asked of this text alone."""
        lengths = {name: getattr(self, name) or None for name in LENGTHS}
        return Control.model_validate({"must": self.must, "must_not": self.must_not, **lengths})

    def beside(self, every: Control | None) -> dict[str, Any]:
        """Return all that is asked of this text: the words of both, and its own lengths before those of every text."""
        every, own = every or Control(), self.control
        lengths = {name: getattr(own, name) or getattr(every, name) for name in LENGTHS}
        return {**dict(every), "must": every.must + own.must, "must_not": every.must_not + own.must_not, **lengths}

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        """Refuse what does not go together."""
        _ = self.control
        return self


class ReferencedAsked(Asked):
    """A prompt with what is asked, and a text that is so."""

    reference: str = Field(default="", description="Such a text; needed to learn from, and not to measure what is held.")


class Controlled(Written):
    """What was written, and what of what was asked does not hold."""

    is_held: bool = Field(description="Whether all that was asked of it by words and lengths holds.")
    lacking: tuple[str, ...] = Field(default=(), description="What does not, in a few words each.")
    likelihood: float = Field(
        default=0.0, description="The mean log-probability of its tokens after the prompt, as the backbone alone has it."
    )
