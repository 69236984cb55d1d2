"""A prompt that shows training examples: which, in what order, and that the function keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.errors import OptionError, RecipeError
from functory_sdk.testing import kit
from functory_sdk.testing.toy import rows

DATA = rows(60)
WIDE = {"name": "tiny-decoder", "context": 512}


@pytest.fixture(scope="module", autouse=True)
def _tiny() -> Iterator[None]:
    with kit():
        yield


def built(**adaptation: Any) -> Any:
    """Return a function that shows examples."""
    return functory.build(
        task="text-classification", train=DATA, backbone=WIDE, adaptation={"name": "prompt", **adaptation},
        name="shown", golden=["we saw the film"],
    )  # fmt: skip


def test_examples_of_each_label_are_shown_and_the_seed_says_which_and_in_what_order() -> None:
    one, same = built(demonstrations=4), built(demonstrations=4)
    shown = one.state.shown.examples
    assert [row["label"] for row in shown].count("yes") == 2
    assert len({row["text"] for row in shown}) == 4
    assert {row["text"] for row in shown} <= {row["text"] for row in DATA}
    assert same.state == one.state
    other = functory.build(
        task="text-classification", train=DATA, backbone=WIDE, adaptation={"name": "prompt"}, seed=5, golden=["we saw"]
    )
    assert other.state.shown != one.state.shown


def test_no_example_is_shown_that_measures() -> None:
    found = built(demonstrations=2, by="similarity", pool=1000)
    assert not {row.text for row in found.held_out} & {row["text"] for row in found.state.shown.examples}
    few = functory.build(
        task="text-classification", train=DATA[:4], dev=DATA[4:8], test=DATA[8:12], backbone=WIDE, golden=["we saw"],
        adaptation={"name": "prompt", "demonstrations": 4, "by": "similarity"},
    )  # fmt: skip
    assert {row["text"] for row in few.state.shown.examples} == {row["text"] for row in DATA[:4]}
    assert few.state.shown.nearest == 0, "there are no more than are shown"


def test_by_similarity_a_pool_is_kept_and_the_nearest_of_it_are_shown() -> None:
    found = built(demonstrations=2, by="similarity", pool=20)
    assert (len(found.state.shown.examples), found.state.shown.nearest) == (20, 2)
    text = found.state.shown.examples[7]["text"]
    row = found.form.formulation.encode([found.read(text)], found.reader, found.state).rows[0]
    told = found.form.tokenizer.text(row["input_ids"].tolist())
    assert told.count("\n\n") == 2 * 2 + 1
    assert text in told.split("\n\n")[2], "the nearest is the example itself, and comes last"


def test_the_manifest_keeps_what_is_shown_and_the_loaded_function_answers_alike(tmp_path: Path) -> None:
    found = built(demonstrations=3)
    loaded = functory.load(found.save(tmp_path / "shown"))
    assert loaded.state == found.state
    assert loaded.info()["adaptation"]["name"] == "prompt"
    texts = [row["text"] for row in DATA[:8]]
    for one, other in zip(loaded.map(texts), found.map(texts), strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-5)


def test_none_shown_is_a_prompt_alone_that_dev_calibrates() -> None:
    found = built(demonstrations=0)
    assert found.state.shown is None
    assert len(found.state.prompted.silent) == len(found.state.prompted.biases) == 2


def test_pairs_and_choices_show_examples_too() -> None:
    pairs = [{"first": one["text"], "second": other["text"], "label": one["label"]} for one, other in pairwise(DATA)]
    alike = functory.build(task="text-pair", train=pairs, backbone=WIDE, adaptation="prompt", golden=[("we", "a day")])
    assert {*alike.state.shown.examples[0]} >= {"first", "second", "label"}
    asked = [{"question": one["text"], "options": ["yes", "no"], "answer": one["label"]} for one in DATA]
    choose = functory.build(
        task="multiple-choice", train=asked, backbone=WIDE, adaptation="prompt", golden=[("we saw", ("yes", "no"))]
    )
    row = choose.form.formulation.encode([choose.read("we saw", ["yes", "no"])], choose.reader, choose.state).rows[0]
    told = choose.form.tokenizer.text(row["input_ids"].tolist())
    first = choose.state.shown.examples[0]
    assert told.startswith(f"Question: {first['question']}\nAnswer: {first['answer']}\n\nQuestion: ")


def test_examples_are_wanted_and_a_backbone_that_writes() -> None:
    with pytest.raises(RecipeError, match="'prompt' learns from examples"):
        functory.build(task={"name": "text-classification", "labels": ["a", "b"]}, backbone=WIDE, adaptation="prompt")
    with pytest.raises(functory.errors.NotSupported, match="'prompt'"):
        functory.build(task="text-classification", train=DATA, backbone="tiny-encoder", adaptation="prompt")
    with pytest.raises(OptionError, match="demonstrations"):
        built(demonstrations=-1)


def test_more_examples_than_the_context_holds_are_refused_with_what_to_do() -> None:
    with pytest.raises(OptionError, match="half of the context of 1024 tokens holds no word of each") as caught:
        built(demonstrations=40)
    assert "show fewer (adaptation.demonstrations)" in caught.value.do
