"""Labels by likelihood, of the SDK: several labels, thresholds, pairs without an order, and what is read."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from functory_sdk import (
    Encoded,
    Formulation,
    Input,
    LabelOptions,
    LabelOrList,
    Labels,
    LabelTask,
    OptionError,
    PairOptions,
    PairTask,
    Reader,
)
from functory_sdk.testing import TinyDecoder, TinyEncoder


class Remark(Input):
    """A remark."""

    remark: str


class Judged(Remark):
    """A remark and its verdict."""

    verdict: LabelOrList


class Verdict(LabelTask[LabelOptions]):
    """Says what a remark makes of its subject."""

    Input: ClassVar = Remark
    Example: ClassVar = Judged
    gold: ClassVar[str] = "verdict"
    shorthand: ClassVar[tuple[str, ...]] = ("remark",)


class Two(Input):
    """Two texts."""

    first: str
    second: str


class Alike(PairTask[PairOptions]):
    """Says whether two texts are alike."""

    Input: ClassVar = Two


STATE = Labels(labels=("bad", "good"), mode="single")
REMARK = Remark(remark="we saw the film")


def put(task: Any, backbone: Any = None) -> Formulation:
    found: Formulation = task.formulations((backbone or TinyDecoder()).spec)["prompt"]
    return found


def encoded(formulation: Formulation, value: Any, state: Labels = STATE) -> Encoded:
    backbone = TinyDecoder()
    return formulation.encode([value], Reader(backbone.tokenizer, backbone.spec), state)


def given(*values: float) -> list[dict[str, Any]]:
    return [{"log_probability": np.float32(value)} for value in values]


def test_a_prompt_is_offered_by_backbones_that_write_alone() -> None:
    assert set(Verdict().formulations(TinyEncoder().spec)) == {"features"}
    assert set(Verdict().formulations(TinyDecoder().spec)) == {"features", "prompt"}


def test_a_label_has_a_row_and_another_without_any_text() -> None:
    made = encoded(put(Verdict()), REMARK)
    assert made.owner == [0] * 4
    words = [TinyDecoder().tokenizer.text(map(int, row["input_ids"][row["scored"] == 1])) for row in made.rows]
    assert [word.strip() for word in words] == ["bad", "good"] * 2
    assert len(encoded(put(Verdict(LabelOptions(calibrate=False))), REMARK).rows) == 2


def test_the_likelihood_without_a_text_is_subtracted() -> None:
    plain = put(Verdict()).decode((), given(-1, -2, -1, -9), STATE)
    assert plain.label == "good"
    assert plain.scores["good"] == pytest.approx(1 / (1 + np.exp(-7)), abs=1e-6)


def test_a_binary_function_gives_its_label_above_a_threshold_that_held_out_examples_tune() -> None:
    formulation, state = put(Verdict()), Labels(labels=("bad", "good"), mode="binary", thresholds=(0.5,))
    sides = [given(0, odds, 0, 0) for odds in (-3.0, -2.0, -1.0)]  # "good" is never the likelier one
    examples = [Judged(remark="x", verdict=label) for label in ("bad", "good", "good")]
    tuned = formulation.tune([()] * 3, sides, examples, state)
    assert 1 / (1 + np.exp(3)) < tuned.thresholds[0] < 1 / (1 + np.exp(2))
    assert [formulation.decode((), rows, tuned).label for rows in sides] == ["bad", "good", "good"]
    lead = formulation.lead((), sides[1], tuned)
    assert lead == pytest.approx(1 / (1 + np.exp(2)) - tuned.thresholds[0], abs=1e-6)


def test_where_labels_may_be_several_each_is_compared_with_its_own_likelihood_without_text() -> None:
    formulation = put(Verdict(LabelOptions(calibrate=False)))
    state = Labels(labels=("bad", "good"), mode="multi", thresholds=(0.5, 0.5))
    assert len(encoded(formulation, REMARK, state).rows) == 4
    assert formulation.decode((), given(-5, -3, -6, -4), state).labels == ("bad", "good")
    assert formulation.decode((), given(-5, -5, -4, -4), state).labels == ()
    [target, _] = formulation.targets(formulation.decode((), given(-5, -3, -6, -4), state), (), state)
    assert formulation.evidence(target, (), given(-5, -3, -6, -4), state) == pytest.approx(1)


def test_a_prompt_without_a_place_for_a_field_is_refused() -> None:
    with pytest.raises(OptionError, match="has no {remark}"):
        put(Verdict(LabelOptions(prompt="{text} is")))


def test_words_of_a_script_without_spaces_stand_without_one() -> None:
    formulation: Any = put(Verdict())
    assert [formulation._words(label) for label in ("good", "好评")] == [" good", "好评"]


def test_pairs_without_an_order_are_asked_in_both_and_the_same_whichever_came_first() -> None:
    task = Alike(PairOptions(symmetric=True))
    one, other = Two(first="we saw", second="the film"), Two(first="the film", second="we saw")
    rows, turned = (encoded(put(task), value).rows for value in (one, other))
    assert len(rows) == 6
    assert all((a["input_ids"] == b["input_ids"]).all() for a, b in zip(rows, turned, strict=True))
    assert len(encoded(put(task), Two(first="we saw", second="we saw")).rows) == 4
