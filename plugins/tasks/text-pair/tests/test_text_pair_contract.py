from __future__ import annotations

from typing import Any

from functory_sdk import Classification
from functory_sdk.testing import TaskSuite

PAIRS = (("good film", "bad film"), ("we saw it", "we saw"), ("a poor book", "the book"), ("the day was fine", "a day"))


def labelled(*labels: Any) -> tuple[dict[str, Any], ...]:
    return tuple({"first": a, "second": b, "label": label} for (a, b), label in zip(PAIRS, labels, strict=True))


class TestOneLabelOfSeveral(TaskSuite):
    component = "text-pair"
    examples = labelled("contradiction", "entailment", "neutral", "entailment")


class TestYesOrNo(TestOneLabelOfSeveral):
    backbones = ("tiny-encoder",)
    options = {"mode": "binary", "positive": "yes"}
    examples = labelled("yes", "no", "no", "yes")


class TestSeveralLabels(TestOneLabelOfSeveral):
    backbones = ("tiny-decoder",)
    examples = labelled(["price", "place"], ["price"], [], ["place"])

    def perfect(self, example: Any, state: Any) -> Any:
        return Classification(label=None, score=1, scores=dict.fromkeys(state.labels, 1.0), labels=example.label)


class TestSymmetric(TestOneLabelOfSeveral):
    backbones = ("tiny-encoder",)
    options = {"symmetric": True}
