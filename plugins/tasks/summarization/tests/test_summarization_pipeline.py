"""``summarization`` answers as transformers 4 did, token for token, to everything that a program asked it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from functory.compat import pipeline
from functory_sdk.testing.pipelines import answers, assert_alike, kept

pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
GOLDEN = Path(__file__).with_name("golden_pipeline.json")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the small checkpoints are written."""
    return tmp_path_factory.mktemp("checkpoints")


@pytest.mark.parametrize("case", kept(GOLDEN))
def test_every_call_is_answered_as_transformers_4_answered_it(case: Any, place: Path) -> None:
    assert_alike(answers(case, pipeline, place), [call["answer"] for call in case["calls"]])


@pytest.mark.peer(name="transformers4")
@pytest.mark.parametrize("case", kept(GOLDEN))
def test_the_kept_answers_are_those_of_transformers_4(case: Any, place: Path) -> None:
    assert transformers.__version__.startswith("4.")
    assert_alike(answers(case, transformers.pipeline, place), [call["answer"] for call in case["calls"]])
