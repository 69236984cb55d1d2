"""Decisions keep the contract of tasks, on every kind of backbone that writes; their verb and their command keep theirs."""

from __future__ import annotations

from typing import Any, ClassVar

from functory_sdk.testing import CommandSuite, TaskSuite

QUESTIONS: dict[str, Any] = {
    "topic": ["film", "rain", "book"],
    "good": "Was it good?",
    "stars": {"ask": "How many stars?", "low": 1, "high": 3, "is_whole": True},
}


class TestDecide(TaskSuite):
    component = "decision"
    options: ClassVar[dict[str, Any]] = {"questions": QUESTIONS}
    backbones = ("tiny-decoder", "tiny-encoder-decoder")
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"text": "we saw the good film", "topic": "film", "good": True, "stars": 3},
        {"text": "it was a poor book", "topic": "book", "good": False, "stars": 1},
        {"text": "the day was fine in the rain", "topic": "rain", "good": True, "stars": 2},
        {"text": "not a very bad night", "topic": "book", "good": None, "stars": None},
    )


class TestVerb(CommandSuite):
    component = "decide"
