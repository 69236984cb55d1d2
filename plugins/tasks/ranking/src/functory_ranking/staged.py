"""Two stages as one function: vectors find the best few of many candidates, and the few are read together with the query.

A function that is made of two, so that each may be built, trained and optimised by itself (Nogueira and Cho 2019).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from functory_ranking.ordering import Ranks
from functory_ranking.store import Near, Store, opened
from functory_ranking.types import Item, Query, Ranked, RankedQuery
from functory_sdk import Array, DataError, NotBlank, Options, State

DIGITS = 6
SAME = 0.98
"""The least cosine of a store's vector and the one that the first stage gives the same passage: rounding, and integers, make less
of a difference."""


class StagedOptions(Options):
    """Options of ranking in two stages."""

    keep: int = Field(
        default=50, ge=1, le=10_000, description="How many different candidates the first stage keeps, for the second to read."
    )
    store: str = Field(
        default="",
        description="Where the candidates lie of a query that brings none: the folder of a shelf, or a store's name and place "
        "(NAME:PLACE).",
    )


class Search(Query):
    """A query, and the candidates that are to be ranked for it; without any, those of the store."""

    candidates: tuple[NotBlank, ...] = Field(
        default=(), description="The texts to be ranked, as many as you like; those of the store where there are none."
    )


class Sought(RankedQuery, Search):
    """A query with candidates of which each has a grade."""


class Kept(Item):
    """A candidate that the first stage kept, at its place."""

    cosine: float = Field(description="The cosine of its vector and the query's, by which the first stage kept it.")


class Found(Ranked):
    """The best few candidates in their order."""

    items: tuple[Kept, ...] = Field(description="The candidates that the first stage kept, the most relevant first.")


class TwoStages(Ranks[StagedOptions]):
    """Finds the best few of many candidates by their vectors, and ranks these by reading each together with the query."""

    Options: ClassVar = StagedOptions
    Input: ClassVar = Search
    Output: ClassVar = Found
    Example: ClassVar = Sought
    parts: ClassVar[Mapping[str, str]] = {"vectors": "embedding", "ranking": "ranking"}
    paper: ClassVar[str] = "Nogueira and Cho 2019, Passage Re-ranking with BERT (arXiv 1901.04085)"
    examples: ClassVar[tuple[str, ...]] = (
        'functory run found "money back" \'["We open at nine.", "Refunds take a week."]\' --json',
    )

    def compose(self, parts: Mapping[str, Any], inputs: Sequence[Search]) -> list[Found]:
        near = self.nearest(parts["vectors"], inputs)
        ask = parts["ranking"].task.Input.model_construct  # the texts were looked at as this function's own
        asked = [ask(query=one.query, candidates=tuple(n.text for n in own)) for one, own in zip(inputs, near, strict=True)]
        ranked = parts["ranking"].map(asked, progress=False)
        return [self._found(*each) for each in zip(inputs, near, ranked, strict=True)]

    def nearest(self, vectors: Any, inputs: Sequence[Search]) -> list[list[Near]]:
        """Return for each query the candidates that the first stage keeps, the nearest first: different texts.

        :param vectors: the part that gives a text as a vector.
        """
        queries = _units(vectors, [value.query for value in inputs], "query")
        found: list[list[Near]] = [[] for _ in inputs]
        stored = [place for place, value in enumerate(inputs) if not value.candidates and self.options.store]
        if stored:
            own = self._store(vectors).nearest(queries[stored], self.options.keep)
            for place, near in zip(stored, own, strict=True):
                found[place] = list(near)
        texts = list(dict.fromkeys(text for value in inputs for text in value.candidates))
        place_of = {text: place for place, text in enumerate(texts)}
        passages = _units(vectors, texts, "passage")  # (texts, width): one that several queries bring is read once
        for place, value in enumerate(inputs):
            if distinct := {text: index for index, text in reversed([*enumerate(value.candidates)])}:
                cosines = passages[[place_of[text] for text in distinct]] @ queries[place]
                each = [Near(index, text, float(one)) for (text, index), one in zip(distinct.items(), cosines, strict=True)]
                found[place] = sorted(each, key=lambda one: (-round(one.cosine, DIGITS), one.index))[: self.options.keep]
        return found

    def _store(self, vectors: Any) -> Store:
        """Return the opened store, after a look at whether its vectors are this function's.

        :raises DataError: where they are not.
        """
        store = opened(self.options.store)
        text, vector = store.first()
        [own] = _units(vectors, [text], "passage")
        if own.shape != vector.shape or float(own @ vector) < SAME:
            raise DataError(
                "the store's vectors are not those that the first stage gives: they were made by another function.",
                where=self.options.store,
                do="make the store again with the function that is the part 'vectors'.",
            )
        return store

    def _found(self, value: Search, near: Sequence[Near], ranked: Ranked) -> Found:
        """Return one query's candidates as the second stage ranked them; one that stands there twice has two places."""
        items = []
        for item in ranked.items:
            kept = near[item.index]
            places = [place for place, text in enumerate(value.candidates) if text == kept.text] or [kept.index]
            cosine = round(kept.cosine, DIGITS)
            items += [Kept(index=place, text=kept.text, score=item.score, cosine=cosine) for place in places]
        left = len(set(value.candidates)) - len(near)
        notes = (f"{left:,} candidates were left out by their vectors",) if left > 0 else ()
        return Found(items=tuple(items), notes=(*notes, *ranked.notes))

    def explained(self, output: Found) -> dict[str, float]:
        """The candidates that were kept, by their paths."""
        return {f"candidates.{item.index}": item.score for item in output.items}

    def golden_inputs(self, state: State) -> Sequence[Search]:
        return [Search(query=one.query, candidates=one.candidates) for one in super().golden_inputs(state)]


def _units(vectors: Any, texts: Sequence[str], role: str) -> Array:
    """Return the vectors of texts at length 1, (texts, width)."""
    ask = vectors.task.Input.model_construct
    found = [one.vector for one in vectors.map([ask(text=text, other=None, role=role) for text in texts], progress=False)]
    made: Array = np.asarray(found, dtype=np.float32) if found else np.zeros((0, 0), dtype=np.float32)
    lengths = np.linalg.norm(made, axis=1, keepdims=True)
    return made / np.where(lengths > 0, lengths, 1)
