from __future__ import annotations

from typing import Any

from functory_sdk.testing import TaskSuite
from functory_tagging import Tagged, Token


class TestTags(TaskSuite):
    component = "tagging"
    examples = (
        {"text": "we saw Ann's film", "tags": ["PRON", "VERB", "NOUN", "NOUN"]},
        {"text": "we saw Ann's film", "words": ["we", "saw", "Ann's", "fi", "lm"],
         "tags": ["PRON", "VERB", "NOUN", "NOUN", "NOUN"]},
        {"words": ["我们", "在", "北京", "。"], "tags": ["PRON", "ADP", "NOUN", "PUNCT"]},
        {"words": ["the", "rain", "was", "good"], "tags": ["DET", "NOUN", "VERB", "ADJ"]},
    )  # fmt: skip

    def perfect(self, example: Any, state: Any) -> Any:
        return perfect(self.task, example, state)


class TestWords(TaskSuite):
    component = "tagging"
    options = {"mode": "words"}
    backbones = ("tiny-encoder",)
    examples = (
        {"text": "the rain 好", "spans": [[0, 3, "DET"], [4, 8, "NOUN"], [9, 10, "ADJ"]]},
        {"text": "the rain 好", "words": ["the", "ra", "in", "好"],
         "spans": [[0, 3, "DET"], [4, 6, "NOUN"], [6, 8, "NOUN"], [9, 10, "ADJ"]]},
        {"text": "我们在北京。", "spans": [[0, 2, "PRON"], [2, 3, "ADP"], [3, 5, "NOUN"], [5, 6, "PUNCT"]]},
        {"text": "京北", "spans": [[0, 2, "NOUN"]]},
    )

    def perfect(self, example: Any, state: Any) -> Any:
        return perfect(self.task, example, state)


class TestPunctuation(TaskSuite):
    component = "tagging"
    options = {"mode": "punctuation"}
    backbones = ("tiny-encoder",)
    examples = (
        {"text": "we saw the film, and it was good."},
        {"text": "was the rain good? the night was."},
        {"text": "我们在北京，你好。"},
        {"text": "we saw the film, and it was good.",
         "words": ["we", "s", "aw", "the", "film", ",", "and", "it", "was", "good", "."]},
    )

    def perfect(self, example: Any, state: Any) -> Any:
        return perfect(self.task, example, state)


def perfect(task: Any, example: Any, state: Any) -> Tagged:
    """Return the right words with their tags."""
    words = task._right(example, state.mode)
    return Tagged(
        tokens=tuple(Token(text=example.text[a:b], start=a, end=b, tag=tag, score=1) for a, b, tag in words)
    )
