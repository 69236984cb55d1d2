"""The types that callers meet: input, output, example and options."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from functory_sdk import Input, NotBlank, Options, Output, State


class EmbeddingOptions(Options):
    """Options of the embedding task."""

    dimension: int = Field(
        default=0,
        ge=0,
        description="How many of a vector's first numbers are given; all of them when 0. Worth it where the backbone was "
        "trained so that they serve alone (Kusupati et al. 2022).",
    )
    lengths: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(),
        description="How many of a vector's first numbers training makes serve alone too, beside `dimension`: 64, 128.",
    )
    normalise: bool = Field(
        default=True,
        description="Bring each vector to length 1, so that the product of two is their cosine.",
    )
    role: str = Field(
        default="",
        description="What the texts are, for backbones that were trained to be told: query, passage. Each input may say its own.",
    )
    other_role: str | None = Field(
        default=None,
        description="What the texts are that others are compared with: passage, where queries look for them; as the first "
        "text's if not given.",
    )


class Text(Input):
    """A text, and perhaps another to compare it with."""

    text: NotBlank = Field(description="The text.")
    other: NotBlank | None = Field(default=None, description="Another text: its vector is given too, and the cosine of both.")
    role: Literal["query", "passage"] | None = Field(
        default=None, description="What the text is, where it is not what the function's option role says."
    )


class Compared(Text):
    """Two texts that belong together, or how alike they are."""

    score: FiniteFloat | None = Field(
        default=None, description="How alike they are, a number on any scale; none where the other is what the text looks for."
    )
    negatives: NotBlank | tuple[NotBlank, ...] = Field(
        default=(), description="Texts that the text does not look for, near as they may seem; used in training alone."
    )


class Measures(State):
    """What training is told.

    :param lengths: how many of a vector's first numbers must serve; 0 for all.
    :param is_scored: the examples say how alike texts are, and not only which belong together.
    """

    lengths: tuple[int, ...] = (0,)
    is_scored: bool = False


class Embedded(Output):
    """A text as a vector."""

    vector: tuple[float, ...] = Field(description="The text's vector.")
    other: tuple[float, ...] | None = Field(default=None, description="The other text's vector, where there is one.")
    cosine: float | None = Field(default=None, description="The cosine of both, −1 to 1.")

    def __repr__(self) -> str:
        return f"Embedded({'; '.join((self.in_line(), *self.notes))})"

    def in_line(self, top: int = 3) -> str:
        """Return how many numbers there are and the first few, after the cosine where there is one."""
        first = ", ".join(f"{number:.3f}".replace("-", "−") for number in self.vector[:top])
        told = f"{len(self.vector)} numbers" + (f": {first}" if first else "") + ", …" * (0 < top < len(self.vector))
        return told if self.cosine is None else f"cosine {self.cosine:.3f}; {told}".replace("cosine -", "cosine −")
