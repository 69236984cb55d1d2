"""Ranking keeps the contract of tasks, by both losses."""

from __future__ import annotations

from typing import Any, ClassVar

from functory_ranking import Item, Ranked
from functory_sdk.testing import TaskSuite

QUERIES: tuple[dict[str, Any], ...] = (
    {"query": "good film", "candidates": ["a bad film", "we saw a good film", "night"], "relevance": [0, 1, 0]},
    {"query": "the rain", "candidates": ["it was in the rain", "a book", "the day"], "relevance": [1, 0, 0]},
    {"query": "a poor book", "candidates": ["the night", "rain", "the book was poor"], "relevance": [0, 0, 1]},
    {"query": "very bad", "candidates": ["fine", "very bad and not good", "fine"], "relevance": [0, 1, 0]},
)


class TestListwise(TaskSuite):
    component = "ranking"
    examples: ClassVar[tuple[dict[str, Any], ...]] = QUERIES

    def perfect(self, example: Any, state: Any) -> Ranked:
        order = sorted(range(len(example.candidates)), key=lambda place: -example.relevance[place])
        return Ranked(items=tuple(Item(index=n, text=example.candidates[n], score=-float(i)) for i, n in enumerate(order)))


class TestPairwise(TestListwise):
    options: ClassVar[dict[str, Any]] = {"loss": "pairwise"}
    backbones = ("tiny-encoder",)
