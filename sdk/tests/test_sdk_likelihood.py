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
    Shown,
)
from functory_sdk.likelihoods import SILENT
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


def read_silently(formulation: Formulation, state: Labels = STATE) -> Encoded | None:
    backbone = TinyDecoder()
    return formulation.silent(Reader(backbone.tokenizer, backbone.spec), state)


def test_a_label_has_a_row_and_texts_that_say_nothing_are_read_apart() -> None:
    made = encoded(put(Verdict()), REMARK)
    assert made.owner == [0] * 2
    words = [TinyDecoder().tokenizer.text(map(int, row["input_ids"][row["scored"] == 1])) for row in made.rows]
    assert [word.strip() for word in words] == ["bad", "good"]
    silent = read_silently(put(Verdict()))
    assert silent is not None
    assert [silent.owner.count(number) for number in range(len(SILENT))] == [2] * len(SILENT)
    assert read_silently(put(Verdict(LabelOptions(calibrate=False)))) is None


def test_the_likelihood_where_nothing_is_said_is_subtracted() -> None:
    formulation = put(Verdict())
    state = formulation.heard([()] * 2, [given(-1, -9), given(-1, -9)], STATE)
    assert state.prompted is not None
    plain = formulation.decode((), given(-1, -2), state)
    assert plain.label == "good"
    assert plain.scores["good"] == pytest.approx(1 / (1 + np.exp(-7)), abs=1e-6)
    mixed = formulation.heard([()] * 2, [given(-1, -1), given(-1, -np.inf)], STATE).prompted.silent
    assert mixed[0] - mixed[1] == pytest.approx(np.log(0.75 / 0.25)), "the mean of probabilities, and not of their logarithms"


def test_held_out_examples_fit_a_slope_and_a_bias_for_each_label() -> None:
    formulation = put(Verdict())
    examples = [Judged(remark="x", verdict=label) for label in ("bad",) * 12 + ("good",) * 12]
    rows = [given(-3, -1)] * 12 + [given(-3, 1)] * 12  # "good" is always the likelier one, and more so where it is right
    tuned = formulation.tune([()] * 24, rows, examples, STATE)
    assert [formulation.decode((), one, tuned).label for one in (rows[0], rows[-1])] == ["bad", "good"]
    assert formulation.tune([()] * 24, rows, examples, tuned) == tuned, "tuned again it begins anew"
    assert formulation.tune([()], rows[:1], [Judged(remark="x", verdict="strange")], STATE) == STATE
    plain = put(Verdict(LabelOptions(calibrate=False)))
    assert plain.tune([()] * 24, rows, examples, STATE) == STATE


def test_examples_are_shown_before_the_prompt_and_long_ones_are_cut() -> None:
    shown = Shown(examples=({"remark": "we saw it", "verdict": "good"}, {"remark": "rain " * 400, "verdict": ["bad", "good"]}))
    state = STATE.model_copy(update={"shown": shown})
    formulation, backbone = put(Verdict(LabelOptions(prompt="{remark} It was"))), TinyDecoder()
    rows = encoded(formulation, REMARK, state).rows
    told = backbone.tokenizer.text(rows[1]["input_ids"].tolist())
    assert told.startswith("we saw it It was good\n\nrain rain")
    assert told.endswith(" It was bad, good\n\nwe saw the film It was good")
    assert max(len(row["input_ids"]) for row in rows) <= backbone.spec.context
    silent = read_silently(formulation, state)
    assert silent is not None
    assert all(backbone.tokenizer.text(row["input_ids"].tolist()).startswith("we saw it It was good") for row in silent.rows)


def test_the_nearest_examples_are_shown_the_nearest_last() -> None:
    remarks = ("rain in the night", "we saw the book", "we saw the film", "a day")
    shown = Shown(examples=tuple({"remark": one, "verdict": "good"} for one in remarks), nearest=2)
    formulation, backbone = put(Verdict(LabelOptions(prompt="{remark} It was"))), TinyDecoder()
    state = STATE.model_copy(update={"shown": shown})
    told = backbone.tokenizer.text(encoded(formulation, Remark(remark="we saw that film"), state).rows[0]["input_ids"].tolist())
    assert told == "we saw the book It was good\n\nwe saw the film It was good\n\nwe saw that film It was bad"


def test_a_binary_function_gives_its_label_above_a_threshold_that_held_out_examples_tune() -> None:
    formulation, state = put(Verdict()), Labels(labels=("bad", "good"), mode="binary", thresholds=(0.5,))
    sides = [given(0, odds) for odds in (-3.0, -2.0, -1.0)]  # "good" is never the likelier one
    examples = [Judged(remark="x", verdict=label) for label in ("bad", "good", "good")]
    tuned = formulation.tune([()] * 3, sides, examples, state)
    assert 1 / (1 + np.exp(3)) < tuned.thresholds[0] < 1 / (1 + np.exp(2))
    assert [formulation.decode((), rows, tuned).label for rows in sides] == ["bad", "good", "good"]
    lead = formulation.lead((), sides[1], tuned)
    assert lead == pytest.approx(1 / (1 + np.exp(2)) - tuned.thresholds[0], abs=1e-6)


def test_where_labels_may_be_several_each_is_compared_with_its_own_likelihood_without_text() -> None:
    formulation = put(Verdict(LabelOptions(calibrate=False)))
    state = Labels(labels=("bad", "good"), mode="multi", thresholds=(0.5, 0.5))
    assert read_silently(formulation, state) is not None
    one, other = (formulation.heard([()], [given(*values)], state) for values in ((-6, -4), (-4, -4)))
    assert formulation.decode((), given(-5, -3), one).labels == ("bad", "good")
    assert formulation.decode((), given(-5, -5), other).labels == ()
    [target, _] = formulation.targets(formulation.decode((), given(-5, -3), one), (), one)
    assert formulation.evidence(target, (), given(-5, -3), one) == pytest.approx(1)


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
    assert len(rows) == 4
    assert all((a["input_ids"] == b["input_ids"]).all() for a, b in zip(rows, turned, strict=True))
    assert len(encoded(put(task), Two(first="we saw", second="we saw")).rows) == 2
