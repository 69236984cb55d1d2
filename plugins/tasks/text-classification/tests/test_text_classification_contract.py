from __future__ import annotations

from typing import Any

from functory_sdk import Classification
from functory_sdk.testing import TaskSuite


def labelled(*labels: str) -> tuple[dict[str, str], ...]:
    """Return texts that say their label in their first word."""
    return tuple({"text": f"{label.replace('/', ' ')} day", "label": label} for label in labels)


class TestSingle(TaskSuite):
    component = "text-classification"
    examples = tuple(
        {"text": text, "label": text.split()[0]} for text in ("good film", "bad song", "poor book", "good day")
    )


class TestBinary(TestSingle):
    options = {"mode": "binary", "positive": "good"}
    examples = tuple(
        {"text": text, "label": text.split()[0]} for text in ("good film", "bad song", "bad book", "good day")
    )


class TestMulti(TestSingle):
    examples = tuple(
        {"text": " ".join(labels) or "a day", "label": labels}
        for labels in (["good", "film"], ["bad"], [], ["bad", "film"])
    )

    def perfect(self, example: Any, state: Any) -> Any:
        return Classification(label=None, score=1, scores=dict.fromkeys(state.labels, 1.0), labels=example.label)


class TestOrdinal(TestSingle):
    options = {"mode": "ordinal"}
    examples = labelled("1", "3", "10", "4", "1")


class TestPath(TestSingle):
    options = {"mode": "path", "out_of_scope": "oos"}
    examples = labelled("good/film/long", "bad", "oos", "good", "good/film/short", "bad")


class TestEnergy(TestSingle):
    options = {"abstain": "energy", "out_of_scope": "oos"}
    examples = labelled("good", "bad", "poor", "oos", "bad")
