"""Extraction keeps the contract of tasks, on a backbone that spells JSON; its command keeps its own."""

from __future__ import annotations

from typing import Any, ClassVar

from functory_sdk.testing import CommandSuite, TaskSuite


class TestExtract(TaskSuite):
    component = "extract"
    backbones = ("tiny-decoder",)
    options: ClassVar[dict[str, Any]] = {
        "model": {"what": "text", "n": "whole"}, "prompt": "{text}\n", "max_new_tokens": 40,
    }  # fmt: skip
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"text": "we saw 3 films", "what": "films", "n": 3},
        {"text": "a book", "what": "book", "n": None},
        {"text": "it was rain", "what": None, "n": None},
        {"text": "2 bad days", "what": "days", "n": 2},
    )

    def perfect(self, example: Any, state: Any) -> Any:
        return self.task.Output(what=example.what, n=example.n)


class TestVerb(CommandSuite):
    component = "extract"
