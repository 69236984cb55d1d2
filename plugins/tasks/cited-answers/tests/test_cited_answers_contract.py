"""Cited answers keep the contract of tasks, on a backbone that spells bytes."""

from __future__ import annotations

from typing import Any, ClassVar

from functory_cited_answers import Answered, Citation, CitedAnswer
from functory_sdk.testing import TaskSuite


class TestCitedAnswers(TaskSuite):
    component = "cited-answers"
    backbones = ("tiny-decoder",)
    options: ClassVar[dict[str, Any]] = {"prompt": "{passages}\n{question}\n", "max_new_tokens": 24}
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"question": "who?", "passages": ["we saw it", "Ann went"], "answers": ["Ann"], "citations": [1]},
        {"question": "what?", "passages": ["rain", "a good film"], "answers": ["good film", "film"]},
        {"question": "when?", "passages": ["by day", "at night"], "answers": []},
        {"question": "where?", "passages": ["in it", "on it", "was it"], "answers": ["on it"]},
    )

    def perfect(self, example: Answered, state: Any) -> CitedAnswer:
        cited = tuple(Citation(passage=place) for place in example.sources)
        return CitedAnswer(answer=example.answers[0] if example.answers else None, citations=cited, score=1.0)
