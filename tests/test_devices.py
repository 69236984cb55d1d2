"""Functions built and asked on an accelerator: what was learned comes back to the host, and answers are the same there.

Run with ``pytest -m gpu`` where there is one.
"""

from __future__ import annotations

from typing import Any

import pytest

import functory
from functory_sdk.testing.toy import rows as toy_texts

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("tiny_kit")]
THERE = {"device": "cuda"}
CHOICES = [
    {"question": f"which is {word}", "choices": [word, "another"], "answer": word}
    for word in ("good", "bad", "fine", "poor", "nice", "sad")
]
NAMES = [
    {"text": f"here {name} sat", "entities": [{"start": 5, "end": 5 + len(name), "label": "one"}]}
    for name in ("tom", "sue", "max")
]


def texts(count: int) -> list[dict[str, Any]]:
    return [{"text": row["text"], "label": row["label"]} for row in toy_texts(count, 0)]


def built(task: str, rows: Any, adaptation: Any, **parts: Any) -> Any:
    shares = {"dev_share": 0, "test_share": 0, "report": False}
    return functory.build(
        task=task, train=rows, backbone="tiny-encoder", adaptation=adaptation, session=THERE, **{**shares, **parts}
    )


def held(fn: Any, asked: list[Any]) -> None:
    """Hold answers on the accelerator beside those on the host, whose model lies there."""
    assert {parameter.device.type for parameter in fn.form.program.model.parameters()} == {"cpu"}
    here = fn.opened(device="cpu")
    for one, other in zip(fn.map(asked), here.map(asked), strict=True):
        assert numbers(one) == pytest.approx(numbers(other), abs=1e-3)
    assert [str(one) for one in fn.map(asked)], "the session there goes on after one here was opened"


def numbers(output: Any) -> list[float]:
    """Return every number of an output, in its order."""
    found: list[float] = []

    def into(value: Any) -> None:
        if isinstance(value, dict):
            for part in value.values():
                into(part)
        elif isinstance(value, list):
            for part in value:
                into(part)
        elif isinstance(value, (int, float)):
            found.append(float(value))

    into(output.model_dump())
    return found


@pytest.mark.parametrize("adaptation", ["head", "lexical", "lora", "full", "contrastive", "auto"])
def test_each_adaptation_learns_there_and_answers_alike_here(adaptation: str) -> None:
    held(built("text-classification", texts(30), adaptation), [row["text"] for row in texts(8)])


def test_a_stage_on_dev_goes_there_too() -> None:
    held(built("text-classification", texts(60), {"name": "lora", "epochs": 2}, dev_share=0.2), [row["text"] for row in texts(8)])


@pytest.mark.parametrize("adaptation", ["head", "lora"])
def test_rows_of_a_group_learn_there(adaptation: str) -> None:
    fn = built("multiple-choice", CHOICES, adaptation)
    held(fn, [{"question": row["question"], "choices": row["choices"]} for row in CHOICES])


@pytest.mark.parametrize("adaptation", ["head", "lora"])
def test_tokens_learn_there(adaptation: str) -> None:
    held(built("ner", NAMES, adaptation), [row["text"] for row in NAMES])


def test_what_is_written_there_is_what_is_written_here() -> None:
    fn = functory.build(task={"name": "text-generation", "max_new_tokens": 6}, backbone="tiny-decoder", session=THERE)
    here = fn.opened(device="cpu")
    assert [one.text for one in fn.map(["the good", "a bad"])] == [one.text for one in here.map(["the good", "a bad"])]
    drawn = fn.using(temperature=1.0, seed=3)
    assert drawn("the good").text == here.using(temperature=1.0, seed=3)("the good").text
