"""Which candidates there are for how many examples, and that each keeps to the budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import functory
from functory_auto import Auto
from functory_sdk import Choice, OptionError, load
from functory_sdk.testing import kit
from functory_sdk.testing.tiny import TinyEncoder
from functory_sdk.testing.toy import ToyTask, rows


def choice(count: int, **options: Any) -> Choice:
    task: Any = ToyTask()
    return load("adaptations", "auto").configure(options).choice(task, TinyEncoder().spec, [None] * count)


def names(found: Choice) -> list[str]:
    return [one.name for one in found.candidates]


def test_many_examples_are_chosen_by_dev_and_what_is_made_for_few_is_not_tried() -> None:
    found = choice(400)
    assert (found.folds, found.repeats) == (0, 1)
    assert {"head", "lora"} <= set(names(found))
    assert "contrastive" not in names(found)


@pytest.mark.parametrize(("count", "repeats"), [(8, 3), (64, 2), (128, 1), (399, 1)])
def test_few_examples_are_held_out_in_turn_and_the_fewer_the_more_often(count: int, repeats: int) -> None:
    assert (choice(count).folds, choice(count).repeats) == (4, repeats)
    assert choice(count, repeats=5).repeats == 5
    assert "contrastive" in names(choice(count))


def test_all_fits_of_a_candidate_keep_to_the_budget_together() -> None:
    def steps(count: int) -> dict[str, Any]:
        return {one.name: one.options.get("most_steps") for one in choice(count, steps=900, among=("head", "lora")).candidates}

    assert steps(400) == {"head": None, "lora": 900}
    assert steps(128) == {"head": None, "lora": 900 // 5}
    assert steps(8) == {"head": None, "lora": 900 // 13}


def test_one_of_a_named_distribution_keeps_to_the_budget_too() -> None:
    [found] = choice(400, steps=900, among=["functory-lora:lora"]).candidates
    assert dict(found.options) == {"most_steps": 900}


def test_candidates_are_named_with_options_that_go_before_the_budget() -> None:
    given = [{"name": "lora", "rank": 2, "most_steps": 5}, {"name": "lora", "layers": 1}, "head"]
    found = choice(1000, among=given).candidates
    assert [dict(one.options) for one in found] == [
        {"rank": 2, "most_steps": 5}, {"layers": 1, "most_steps": 1500}, {},
    ]  # fmt: skip
    assert all(one.is_needed for one in found)
    with pytest.raises(OptionError, match="must have its name"):
        choice(10, among=[{"rank": 2}])


def test_what_is_chosen_goes_through_a_file_and_stands_in_the_report(tmp_path: Path) -> None:
    asked = {"name": "auto", "among": ["toy-head", {"name": "lora", "rank": 2}], "folds": 2, "repeats": 1, "steps": 12}
    with kit():
        fn = functory.build(
            task="toy", train=rows(40), test=rows(20, seed=2), backbone="tiny-encoder", name="toy", adaptation=asked
        )
        assert fn.report is not None
        assert fn.report.tried == fn.about.tried
        _, lora = fn.report.tried
        assert (lora.adaptation, lora.steps) == ("lora", 12 if lora.is_chosen else 8)
        assert "chosen" in str(fn.report)
        card = (fn.save(tmp_path / "toy") / "README.md").read_text(encoding="utf-8")
        assert "| lora (rank = 2, most_steps = 4) |" in card
        assert isinstance(fn.form.adaptation, Auto) is False


def test_few_rows_calibrate_by_what_the_folds_held_out() -> None:
    heads = [{"name": "head", "folds": 2, "iterations": count} for count in (3, 5)]
    asked = {"name": "auto", "among": heads, "folds": 2, "repeats": 1}
    with kit():
        fn = functory.build(
            task="text-classification", train=rows(80), test_share=0, backbone="tiny-encoder", adaptation=asked, report=False
        )
    assert [one.folds for one in fn.about.tried] == [2, 2]
    assert fn.state.temperature != 1
