from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from functory_embedding import Embedded
from functory_sdk import BackboneSpec
from functory_sdk.testing import TaskSuite, TinyEncoder, registered

PAIRS = (
    ("good film", "bad film", "query", 3.5),
    ("we saw it", "we saw", "passage", 4.0),
    ("a poor book", "the book", None, 2.5),
    ("the day", "a film", None, 1.0),
)


class TinyAsked(TinyEncoder):
    """A tiny encoder that was told what its texts are."""

    def read_spec(self) -> BackboneSpec:
        return super().read_spec().model_copy(update={"prefixes": {"query": "good: ", "passage": "day: "}})


@pytest.fixture(autouse=True, scope="module")
def _asked() -> Iterator[None]:
    with registered("backbones", "tiny-asked", TinyAsked):
        yield


class TestByScores(TaskSuite):
    component = "embedding"
    backbones = ("tiny-asked",)
    examples = tuple(dict(zip(("text", "other", "role", "score"), pair, strict=True)) for pair in PAIRS)

    def perfect(self, example: Any, state: Any) -> Any:
        return Embedded(vector=(1.0, 0.0), other=(0.0, 1.0), cosine=example.score / 5)


class TestPrefix(TestByScores):
    options = {"dimension": 8, "normalise": False, "role": "query", "other_role": "passage", "lengths": [16]}
