"""Which candidates there are for how many examples, and that each keeps to the budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import functory
from functory_auto import Auto
from functory_sdk import Choice, OptionError, load
from functory_sdk.testing import kit
from functory_sdk.testing.tiny import TinyDecoder, TinyEncoder
from functory_sdk.testing.toy import ToyExample, ToyTask, rows


def choice(count: int, labels: int = 2, **options: Any) -> Choice:
    task: Any = ToyTask()
    examples = [ToyExample(text="good", label=f"label {n % labels}") for n in range(count)]
    return load("adaptations", "auto").configure(options).choice(task, TinyEncoder().spec, examples)


def names(found: Choice) -> list[str]:
    return [one.name for one in found.candidates]


def test_many_examples_are_chosen_by_dev_and_what_is_made_for_few_is_not_tried() -> None:
    found = choice(400)
    assert (found.folds, found.repeats, found.is_refitted) == (0, 1, False)
    assert {"head", "lora"} <= set(names(found))
    assert not {"contrastive", "full"} & set(names(found))
    assert choice(400, refit=True).is_refitted


@pytest.mark.parametrize(("count", "repeats"), [(8, 3), (64, 2), (128, 1), (399, 1)])
def test_few_examples_are_held_out_in_turn_and_the_fewer_the_more_often(count: int, repeats: int) -> None:
    found = choice(count)
    assert (found.folds, found.repeats, found.repeats_of_layers) == (4, repeats, 1)
    assert (choice(count, repeats=5).repeats, choice(count, repeats=5).repeats_of_layers) == (5, 5)
    assert "contrastive" in names(found)


@pytest.mark.parametrize("labels", [2, 77])
def test_contrastive_goes_first_where_examples_of_each_label_are_scarce_and_lora_stands_back(labels: int) -> None:
    few, more = choice(8 * labels, labels), choice(25 * labels, labels)
    assert names(few)[0] == "contrastive"
    assert names(more)[0] == ("head" if labels == 2 else "lexical")  # of 1,925 rows
    assert [one.unless for one in few.candidates if one.name == "lora"] == ["contrastive"]
    assert [one.unless for one in more.candidates if one.name == "lora"] == [""]
    assert few.is_refitted
    assert not more.is_refitted


def test_of_many_examples_the_head_must_be_surely_better_than_one_that_reads_ngrams_and_of_few_the_other_way_round() -> None:
    assert names(choice(400)) == ["lexical", "head", "lora"]
    assert [name for name in names(choice(399)) if name in ("head", "lexical")] == ["head", "lexical"]


def test_few_examples_cost_in_proportion_to_what_many_cost() -> None:
    assert [choice(count).most_steps for count in (8, 40, 399, 2000, 6000, 50_000)] == [80, 160, 1500, 1500, 3000, 12_000]
    assert choice(40, steps=900).most_steps == 900


def test_of_plenty_all_weights_are_tried_where_they_are_light_enough_to_be_the_functions_own() -> None:
    task: Any = ToyTask()

    def tried(count: int, spec: Any, **options: Any) -> list[str]:
        examples = [ToyExample(text="good", label=f"label {n % 2}") for n in range(count)]
        return names(load("adaptations", "auto").configure(options).choice(task, spec, examples))

    small = TinyEncoder().spec.model_copy(update={"width": 384, "layers": 6, "vocabulary": 30_522})  # MiniLM's
    assert tried(4999, small) == ["lexical", "head", "lora"]
    assert tried(5000, small) == ["lexical", "head", "lora", "full"]
    assert choice(5000).is_refitted
    assert not choice(5000, refit=False).is_refitted
    assert "full" in tried(500, small, plenty=500)
    assert "full" not in tried(300, small, plenty=100), "few examples are few"
    for spec in (small.model_copy(update={"vocabulary": 250_037}), small.model_copy(update={"layers": 12}), TinyDecoder().spec):
        assert "full" not in tried(5000, spec)


def test_the_upper_layers_alone_learn_from_few_examples() -> None:
    def options(count: int) -> dict[str, Any]:
        [lora] = [one for one in choice(count).candidates if one.name == "lora"]
        return dict(lora.options)

    assert TinyEncoder().spec.layers == 3
    assert (options(60), options(400)) == ({"layers": 2}, {})


def test_candidates_are_named_with_options() -> None:
    given = [{"name": "lora", "rank": 2, "most_steps": 5}, {"name": "lora", "layers": 1}, "head"]
    found = choice(1000, among=given).candidates
    assert [dict(one.options) for one in found] == [{"rank": 2, "most_steps": 5}, {"layers": 1}, {}]
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
