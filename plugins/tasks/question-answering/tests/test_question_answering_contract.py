from __future__ import annotations

import json
from typing import Any

from functory_question_answering import Answer
from functory_sdk.testing import ReaderSuite, TaskSuite

SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Rain",
            "paragraphs": [
                {
                    "context": "It rained in Rome.",
                    "qas": [
                        {"id": "1", "question": "Where?", "answers": [{"text": "Rome", "answer_start": 13}],
                         "is_impossible": False},
                        {"id": "2", "question": "Why?", "answers": [], "is_impossible": True,
                         "plausible_answers": [{"text": "It", "answer_start": 0}]},
                    ],
                }
            ],
        }
    ],
}  # fmt: skip
CMRC = [
    {
        "context_id": "7",
        "context_text": "王明在北京。",
        "title": "北京",
        "qas": [{"query_id": "7_0", "query_text": "谁在北京？", "answers": ["王明"]}],
    }
]
SEEN = "we saw the film and the rain was good"


class TestQuestionAnswering(TaskSuite):
    component = "question-answering"
    examples = (
        {"question": "who saw it", "context": SEEN, "answers": {"text": ["we"], "answer_start": [0]}},
        {"question": "what was good", "context": SEEN, "answers": "rain"},
        {"question": "谁在北京？", "context": "王明在北京。", "answers": [{"text": "王明", "start": 0}]},
        {"question": "why", "context": "the sun was in the house", "answers": []},
    )

    def perfect(self, example: Any, state: Any) -> Any:
        return Answer(answer=example.answers[0].text if example.answers else None, score=1)


class TestEveryQuestionAnswered(TestQuestionAnswering):
    options = {"answers": 1, "overlap": 8}
    examples = TestQuestionAnswering.examples[:3]


class TestSQuAD(ReaderSuite):
    component = "squad"
    file_name = "train-v2.0.json"
    content = json.dumps(SQUAD).encode()
    rows = (
        {"id": "1", "question": "Where?", "answers": [{"text": "Rome", "answer_start": 13}], "is_impossible": False,
         "context": "It rained in Rome.", "title": "Rain"},
        {"id": "2", "question": "Why?", "answers": [], "is_impossible": True, "context": "It rained in Rome.", "title": "Rain"},
    )  # fmt: skip


class TestCMRC(TestSQuAD):
    file_name = "cmrc2018_train.json"
    content = json.dumps(CMRC, ensure_ascii=False).encode()
    rows = ({"id": "7_0", "question": "谁在北京？", "answers": ["王明"], "context": "王明在北京。", "title": "北京"},)
