"""Multiple choice keeps the contract of tasks, with a context and without."""

from __future__ import annotations

from typing import Any, ClassVar

from functory_sdk.testing import TaskSuite

QUESTIONS: tuple[dict[str, Any], ...] = (
    {"question": "we saw the", "options": ["good film", "night"], "answer": 0, "context": "the good film was fine"},
    {"question": "the day was", "options": ["bad", "rain", "book"], "answer": "B", "context": "it was in the rain"},
    {"question": "a poor", "options": ["day", "film", "book", "night"], "answer": "book", "context": "we saw a book"},
    {"question": "it is", "options": ["fine", "very bad"], "answer": 1, "context": "not good and very bad"},
)


class TestWithContext(TaskSuite):
    component = "multiple-choice"
    examples: ClassVar[tuple[dict[str, Any], ...]] = QUESTIONS


class TestCalibrated(TaskSuite):
    component = "multiple-choice"
    options: ClassVar[dict[str, Any]] = {"calibrate": True, "length": "characters"}
    backbones = ("tiny-decoder",)
    examples: ClassVar[tuple[dict[str, Any], ...]] = QUESTIONS
