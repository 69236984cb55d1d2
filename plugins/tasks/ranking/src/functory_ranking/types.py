"""The types that callers meet: input, output, example; and the options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from functory_ranking.judged import judged
from functory_sdk import Input, NotBlank, Options, Output

Grade = Annotated[FiniteFloat, Field(ge=0)]


def lexical() -> Any:  # Any: what pydantic makes of it
    """Return the option that says how much words count."""
    return Field(
        default=0.5,
        ge=0,
        le=100,
        description="How much the words count that query and candidate share, beside the cosine of their vectors: it is "
        "multiplied with a number from 0 to 1, to which rare words add more (BM25, Robertson and Zaragoza 2009). 0 for vectors "
        "alone.",
    )


class RankingOptions(Options):
    """Options of ranking."""

    loss: Literal["listwise", "pairwise"] = Field(
        default="listwise",
        description="What is learned of a query's candidates. listwise: the probability of each to be first, its share of all "
        "grades (ListNet, Cao et al. 2007); pairwise: which of two goes before the other (RankNet, Burges et al. 2005).",
    )
    lexical: float = lexical()
    prompt: str = Field(
        default="",
        description="What a backbone that writes reads before the query, with {candidate}; one of our own when empty, in English "
        "or Chinese as the query is.",
    )


class Query(Input):
    """A query, and the candidates that are to be ranked for it."""

    query: NotBlank = Field(description="What is looked for.")
    candidates: tuple[NotBlank, ...] = Field(description="The texts to be ranked, as many as you like; none gives no items.")


class RankedQuery(Query):
    """A query with candidates of which each has a grade: how relevant it is, 0 where it is not."""

    candidates: tuple[NotBlank, ...] = Field(default=(), description="The texts that were graded.")
    relevance: tuple[Grade, ...] = Field(default=(), description="A grade for each candidate, 0 where it is not relevant.")
    picked: tuple[str | int, ...] = Field(
        default=(), description="In place of grades: the candidates that were picked, by text or by number from 0."
    )
    positives: tuple[NotBlank, ...] = Field(default=(), description="In place of candidates: relevant texts.")
    negatives: tuple[NotBlank, ...] = Field(default=(), description="Texts that are not relevant, beside the positives.")

    @model_validator(mode="before")
    @classmethod
    def _told(cls, given: Any) -> Any:  # Any: what pydantic is given
        """Return candidates and grades, in whichever way they were told."""
        return judged(given) if isinstance(given, Mapping) else given


class Item(BaseModel):
    """A candidate at its place."""

    model_config = ConfigDict(frozen=True)

    index: int = Field(description="Which candidate it is, counted from 0.")
    text: str = Field(description="The candidate.")
    score: float = Field(
        description="How relevant it is: more is better; what it is compared with are the others' scores. Where nothing was "
        "learned, the cosine of both vectors and, as `lexical` has it, the words that both hold."
    )


class Ranked(Output):
    """The candidates in their order."""

    items: tuple[Item, ...] = Field(description="All candidates, the most relevant first; equal ones in the order given.")

    def in_line(self, top: int = 3) -> str:
        more = f", and {len(self.items) - top} more" if len(self.items) > top else ""
        return "; ".join(f"{item.text} ({item.score:.3g})" for item in self.items[:top]) + more or "nothing to rank"
