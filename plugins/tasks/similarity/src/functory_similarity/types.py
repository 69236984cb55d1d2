"""The types that callers meet: input, output, example, state and options."""

from __future__ import annotations

from pydantic import Field, FiniteFloat

from functory_sdk import Input, NotBlank, Options, Output, State


class SimilarityOptions(Options):
    """Options of the similarity task."""

    symmetric: bool = Field(
        default=True,
        description="Whether (a, b) is as alike as (b, a): both orders are learned and read, and have the same number. Turn it "
        "off where the second text is held against the first, as an answer is against a model answer.",
    )
    low: FiniteFloat | None = Field(
        default=None, description="The scale's lower end; the least number of the examples if not given."
    )
    high: FiniteFloat | None = Field(
        default=None, description="The scale's upper end; the largest number of the examples."
    )


class Pair(Input):
    """Two texts, to be compared."""

    first: NotBlank = Field(description="The first text.")
    second: NotBlank = Field(description="The second text.")


class ScoredPair(Pair):
    """Two texts, and how alike they are."""

    score: FiniteFloat = Field(description="How alike they are, a number on any scale.")


class Likeness(Output):
    """How alike two texts are."""

    score: float = Field(
        description="How alike they are, on the scale of the training data; without any, the cosine, −1 to 1."
    )


class Scale(State):
    """What the numbers of the examples are like.

    :param low: the scale's ends; no answer is outside.
    :param mean: of the examples' numbers, which the head is fitted to in deviations from it.
    :param slope: what makes a number of a cosine, with `offset`; None where the cosine is the answer.
    """

    low: float = -1.0
    high: float = 1.0
    mean: float = 0.0
    deviation: float = 1.0
    slope: float | None = None
    offset: float = 0.0
