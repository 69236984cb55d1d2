"""Vectors and rankings: how alike two sentences are by their cosine, and which of xquad's paragraphs a question was asked of."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
from measure import build

import functory
from cells import same, scores, simple
from cells.cell import Answers, Cell
from cells.data import Rows, only, paragraphs, rows
from functory_ranking import Shelf

BESIDE = 5
"""Paragraphs that a question is held against in the cell of rankings: its own and those around it, on the same subject."""
SIGNS = 600
"""Characters of a paragraph there, so that a pair stays short."""


def vectors(name: str, data: str, language: str, backbone: str, train: int, test: int, **recipe: Any) -> Cell:
    """Return a cell of two texts and how alike they are, answered by the cosine of their vectors."""
    fields = ("text_a", "text_b")

    def load() -> tuple[Rows, Rows]:
        return only(rows(data, "train", train), *fields, "score"), only(rows(data, "test", test), *fields, "score")

    return Cell(
        name, language, "Spearman", "embedding", load, gold=lambda row: row["score"], read=lambda output: output.cosine,
        score=scores.spearman, majority=lambda train, test: [0.0] * len(test),
        simple=("TF-IDF cosine", lambda train, test: simple.likeness(train, test, fields, language)),
        recipe={"backbone": backbone, **recipe},
    )  # fmt: skip


def retrieved(name: str, language: str, backbone: str, test: int) -> Cell:
    """Return a cell of questions, each of which looks for its paragraph among all of the language's, without training."""

    def load() -> tuple[Rows, Rows]:
        texts, asked = paragraphs(language)
        return [{"text": text} for text in texts], [{"question": question, "place": place} for question, place in asked[:test]]

    def simply(texts: Rows, asked: Rows) -> list[int]:
        return simple.ranks([row["text"] for row in texts], [(row["question"], row["place"]) for row in asked], language)

    return Cell(
        name, language, "mean reciprocal rank", "search", load, gold=lambda row: row["place"],
        read=lambda output: [item.index for item in output.items], score=lambda found, gold: scores.reciprocal_rank(found),
        majority=lambda texts, asked: [row["place"] + 1 for row in asked], simple=("TF-IDF cosine", simply), ours=_nearest,
        recipe={"backbone": backbone},
    )  # fmt: skip


def _nearest(cell: Cell, texts: Rows, asked: Rows) -> Answers:
    """Return the place of each question's paragraph among what a search in a store of all of them finds, from 1."""
    vectors = build(task="embedding", **cell.recipe)
    with tempfile.TemporaryDirectory() as folder:
        shelf = Shelf.make(f"{folder}/paragraphs", [row["text"] for row in texts], vectors)
        options = {"store": str(shelf.folder), "keep": len(shelf)}
        find = functory.compose(str(cell.task), vectors=vectors, options=options)
        found = list(find.map([{"query": row["question"]} for row in asked]))
    return [1 + cell.read(output).index(row["place"]) for output, row in zip(found, asked, strict=True)]


def ranked(name: str, language: str, backbone: str, train: int, test: int) -> Cell:
    """Return a cell of questions, each with its paragraph and those around it in their order: which comes first."""

    def load() -> tuple[Rows, Rows]:
        texts, asked = paragraphs(language)
        cut = [text[:SIGNS] for text in texts]
        order = np.random.default_rng(0).permutation(len(asked))
        made = [_beside(cut, *asked[place]) for place in order[: train + test]]
        return made[:train], made[train:]

    def simply(train: Rows, test: Rows) -> list[int]:
        pairs = [{"first": row["query"], "second": text} for row in test for text in row["candidates"]]
        alike = iter(simple.likeness(pairs, pairs, ("first", "second"), language))
        return [int(np.argmax([next(alike) for _ in row["candidates"]])) for row in test]

    def peer(train: Rows, test: Rows, rate: float) -> Sequence[int]:
        known, asked = (only(some, question="query", choices="candidates", answer="picked") for some in (train, test))
        return same.choices(known, asked, backbone, rate)

    return Cell(
        name, language, "recall@1", "ranking", load, gold=lambda row: row["picked"],
        read=lambda output: output.items[0].index, score=scores.accuracy, majority=lambda train, test: [0] * len(test),
        simple=("TF-IDF cosine", simply), same=("Trainer, cross-encoder", peer), recipe={"backbone": backbone}, ours=_first,
    )  # fmt: skip


def _first(cell: Cell, train: Rows, test: Rows) -> Answers:
    """Build a ranking by the default call; return the candidates that come first."""
    fn = build(task=cell.task, train=train, test_share=0.0, **cell.recipe)
    return [cell.read(output) for output in fn.map([(row["query"], row["candidates"]) for row in test])]


def _beside(texts: Sequence[str], question: str, place: int) -> dict[str, Any]:
    """Return a question with its paragraph and the nearest ones of the file, in its order."""
    first = min(max(0, place - BESIDE // 2), len(texts) - BESIDE)
    return {"query": question, "candidates": list(texts[first : first + BESIDE]), "picked": place - first}
