"""Searching: vectors and words find the best few of many candidates; and as one of two stages, the few are read with the query.

Functions that are made of others, so that each may be built, trained and optimised by itself (Nogueira and Cho 2019).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
from pydantic import Field

from functory_ranking.ordering import Ranks
from functory_ranking.store import Near, Store, opened
from functory_ranking.types import Item, Query, Ranked, RankedQuery, lexical
from functory_sdk import Array, DataError, NotBlank, Options, State
from functory_sdk.lexicon import Words

DIGITS = 6
SAME = 0.98
"""The least cosine of a store's vector and the one that the first stage gives the same passage: rounding, and integers, make less
of a difference."""
WORDLESS = "the store keeps no words: candidates were found by their vectors alone"


class SearchOptions(Options):
    """Options of a search."""

    keep: int = Field(default=50, ge=1, le=10_000, description="How many different candidates are found.")
    lexical: float = lexical()
    store: str = Field(
        default="",
        description="Where the candidates lie of a query that brings none: the folder of a shelf, or a store's name and place "
        "(NAME:PLACE).",
    )


class StagedOptions(SearchOptions):
    """Options of ranking in two stages."""

    keep: int = Field(
        default=50, ge=1, le=10_000, description="How many different candidates the first stage keeps, for the second to read."
    )


class Search(Query):
    """A query, and the candidates that are to be ranked for it; without any, those of the store."""

    candidates: tuple[NotBlank, ...] = Field(
        default=(), description="The texts to be ranked, as many as you like; those of the store where there are none."
    )


class Sought(RankedQuery, Search):
    """A query with candidates of which each has a grade."""


class Kept(Item):
    """A candidate that was found, at its place."""

    cosine: float = Field(description="The cosine of its vector and the query's.")
    lexical: float = Field(
        default=0.0, description="How much of the query's words it holds, the rare ones counting more, from 0 to 1."
    )


class Found(Ranked):
    """The best few candidates in their order."""

    items: tuple[Kept, ...] = Field(description="The candidates that the first stage kept, the most relevant first.")


S = TypeVar("S", bound=SearchOptions)


class Searches(Ranks[S]):
    """Finds the best few of many candidates by their vectors and their words."""

    Input: ClassVar = Search
    Output: ClassVar = Found
    Example: ClassVar = Sought

    def nearest(self, vectors: Any, inputs: Sequence[Search]) -> list[list[Near]]:
        """Return for each query the candidates that are kept, the best first: different texts.

        :param vectors: the part that gives a text as a vector.
        """
        queries = _units(vectors, [value.query for value in inputs], "query")
        found: list[list[Near]] = [[] for _ in inputs]
        stored = [place for place, value in enumerate(inputs) if not value.candidates and self.options.store]
        if stored:
            asked = [inputs[place].query for place in stored]
            own = self._store(vectors).nearest(queries[stored], self.options.keep, asked, self.options.lexical)
            for place, near in zip(stored, own, strict=True):
                found[place] = list(near)
        texts = list(dict.fromkeys(text for value in inputs for text in value.candidates))
        place_of = {text: place for place, text in enumerate(texts)}
        passages = _units(vectors, texts, "passage")  # (texts, width): one that several queries bring is read once
        words: dict[tuple[str, ...], Words] = {}
        for place, value in enumerate(inputs):
            if distinct := {text: index for index, text in reversed([*enumerate(value.candidates)])}:
                own_texts = tuple(distinct)
                cosines = passages[[place_of[text] for text in own_texts]] @ queries[place]
                if self.options.lexical and own_texts not in words:
                    words[own_texts] = Words.of(own_texts)
                shares = words[own_texts].shares([value.query])[0] if self.options.lexical else np.zeros(len(own_texts))
                each = map(Near, distinct.values(), own_texts, cosines.tolist(), shares.tolist())
                found[place] = sorted(each, key=lambda one: (-round(self.score(one), DIGITS), one.index))[: self.options.keep]
        return found

    def score(self, near: Near) -> float:
        """Return how near a candidate is: by its vector, and by its words as much as they count."""
        return near.cosine + self.options.lexical * near.lexical

    def notes(self, value: Search, near: Sequence[Near]) -> tuple[str, ...]:
        """Return what a reader should know of how a query's candidates were found."""
        left = len(set(value.candidates)) - len(near)
        if left > 0:
            return (f"{left:,} candidates were left out by their vectors{' and words' * bool(self.options.lexical)}",)
        is_wordless = not value.candidates and self.options.store and self.options.lexical
        return (WORDLESS,) if is_wordless and not opened(self.options.store).has_words else ()

    def kept(self, value: Search, near: Near, score: float) -> list[Kept]:
        """Return a candidate that was found; one that stands there twice has two places."""
        places = [place for place, text in enumerate(value.candidates) if text == near.text] or [near.index]
        told = {"cosine": round(near.cosine, DIGITS), "lexical": round(near.lexical, DIGITS)}
        return [Kept(index=place, text=near.text, score=score, **told) for place in places]

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

    def explained(self, output: Found) -> dict[str, float]:
        """The candidates that were kept, by their paths."""
        return {f"candidates.{item.index}": item.score for item in output.items}

    def golden_inputs(self, state: State) -> Sequence[Search]:
        return [Search(query=one.query, candidates=one.candidates) for one in super().golden_inputs(state)]


class OneStage(Searches[SearchOptions]):
    """Finds the best few of many candidates, given with the query or lying in a store, by their vectors and their words."""

    Options: ClassVar = SearchOptions
    parts: ClassVar[Mapping[str, str]] = {"vectors": "embedding"}
    paper: ClassVar[str] = "Robertson and Zaragoza 2009, The Probabilistic Relevance Framework: BM25 and Beyond (words)"
    examples: ClassVar[tuple[str, ...]] = ('functory run found "money back" --json',)

    def compose(self, parts: Mapping[str, Any], inputs: Sequence[Search]) -> list[Found]:
        near = self.nearest(parts["vectors"], inputs)
        return [self._found(*each) for each in zip(inputs, near, strict=True)]

    def _found(self, value: Search, near: Sequence[Near]) -> Found:
        items = [item for one in near for item in self.kept(value, one, round(self.score(one), DIGITS))]
        return Found(items=tuple(items), notes=self.notes(value, near))


class TwoStages(Searches[StagedOptions]):
    """Finds the best few of many candidates by vectors and words, and ranks these by reading each together with the query."""

    Options: ClassVar = StagedOptions
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

    def _found(self, value: Search, near: Sequence[Near], ranked: Ranked) -> Found:
        """Return one query's candidates as the second stage ranked them."""
        items = [kept for item in ranked.items for kept in self.kept(value, near[item.index], item.score)]
        return Found(items=tuple(items), notes=(*self.notes(value, near), *ranked.notes))


def _units(vectors: Any, texts: Sequence[str], role: str) -> Array:
    """Return the vectors of texts at length 1, (texts, width)."""
    ask = vectors.task.Input.model_construct
    found = [one.vector for one in vectors.map([ask(text=text, other=None, role=role) for text in texts], progress=False)]
    made: Array = np.asarray(found, dtype=np.float32) if found else np.zeros((0, 0), dtype=np.float32)
    lengths = np.linalg.norm(made, axis=1, keepdims=True)
    return made / np.where(lengths > 0, lengths, 1)
