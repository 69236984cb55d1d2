"""The task that labels, of the SDK: modes, thresholds, leads, and what a task of two texts reads."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functory.contracts.putting import chosen
from functory.running.zero_shot import ZeroShot
from functory_sdk import (
    Classification,
    DataError,
    Input,
    LabelOptions,
    LabelOrList,
    Labels,
    LabelTask,
    NotSupported,
    OptionError,
    Reader,
)
from functory_sdk.labels.classify import probabilities
from functory_sdk.labels.metrics import best_thresholds
from functory_sdk.testing import TinyEncoder


class Remark(Input):
    """A remark."""

    remark: str


class JudgedRemark(Remark):
    """A remark and its verdict."""

    verdict: LabelOrList


class Verdict(LabelTask[LabelOptions]):
    """Says what a remark makes of its subject."""

    Input: ClassVar = Remark
    Example: ClassVar = JudgedRemark
    gold: ClassVar[str] = "verdict"
    shorthand: ClassVar[tuple[str, ...]] = ("remark",)


class Pair(Input):
    """Two texts, or three."""

    first: str
    second: str
    third: str = ""


class Pairs(Verdict):
    """Reads two texts."""

    Input: ClassVar = Pair
    shorthand: ClassVar[tuple[str, ...]] = ("first", "second")


class Triples(Pairs):
    """Reads three."""

    shorthand: ClassVar[tuple[str, ...]] = ("first", "second", "third")


def test_what_is_read_are_the_fields_of_the_shorthand_in_their_order() -> None:
    backbone = TinyEncoder()
    reader = Reader(backbone.tokenizer, backbone.spec)
    state = Labels(labels=("a", "b"))

    def encoded(task: LabelTask[Any], **fields: str) -> Any:
        return task.formulations(backbone.spec)["features"].encode([task.Input(**fields)], reader, state)

    one = encoded(Verdict(), remark="we saw the film")
    assert np.array_equal(one.rows[0]["input_ids"], reader.encode(["we saw the film"]).rows[0]["input_ids"])
    pair = encoded(Pairs(), first="good", second="bad")
    assert np.array_equal(pair.rows[0]["input_ids"], reader.encode([("good", "bad")]).rows[0]["input_ids"])
    other = encoded(Pairs(), first="bad", second="good")
    assert not np.array_equal(pair.rows[0]["input_ids"], other.rows[0]["input_ids"])
    three = encoded(Triples(), first="good", second="bad", third="film")
    assert np.array_equal(three.rows[0]["input_ids"], reader.encode([("good", "bad", "film")]).rows[0]["input_ids"])
    assert encoded(Triples(), first="good", second="bad", third="film " * 90).side[0][0].startswith("read in ")


def test_golden_inputs_of_two_texts_are_two_different_ones() -> None:
    golden = Pairs().golden_inputs(Labels())
    assert len(golden) >= 3
    assert all(value.first != value.second for value in golden)  # type: ignore[attr-defined]


def test_the_right_label_is_read_from_the_field_that_is_named() -> None:
    state = Verdict().learn([JudgedRemark(remark="x", verdict="good"), JudgedRemark(remark="y", verdict="bad")])
    assert state == Labels(labels=("bad", "good"))
    with pytest.raises(NotSupported, match=r"\(an encoder\) as 'features', and .* goes with 'prompt'"):
        chosen(Verdict(), TinyEncoder().spec, ZeroShot())


@pytest.mark.parametrize(
    ("mode", "label", "enum"),
    [("single", "a", ["a", "b"]), ("binary", "a", ["b", "a"]), ("multi", ["a"], ["a", "b", None])],
)
def test_the_schema_names_the_labels(mode: str, label: Any, enum: list[Any]) -> None:
    task = Verdict.configure({"mode": mode, "positive": "a"} if mode == "binary" else {"mode": mode})
    other = ["b"] if mode == "multi" else "b"
    state = task.learn([JudgedRemark(remark="x", verdict=label), JudgedRemark(remark="y", verdict=other)])
    assert task.output_schema(state)["properties"]["label"]["enum"] == enum


def test_modes_that_the_labels_do_not_fit_are_refused() -> None:
    examples = [JudgedRemark(remark=label, verdict=label) for label in "abc"]
    with pytest.raises(OptionError, match="mode = 'binary' wants two labels; there are 3"):
        Verdict.configure({"mode": "binary"}).learn(examples)
    with pytest.raises(OptionError, match="positive = 'z' is no label"):
        Verdict.configure({"mode": "binary", "positive": "z"}).learn(examples[:2])
    with pytest.raises(DataError, match="there is one label: a"):
        Verdict().learn(examples[:1])
    state = Verdict().learn(examples)
    with pytest.raises(DataError, match="2 labels where one is wanted"):
        Verdict().check(JudgedRemark(remark="x", verdict=("a", "b")), state)


@settings(deadline=None)
@given(
    st.sampled_from(["single", "binary", "multi"]),
    st.lists(st.floats(-4, 4), min_size=3, max_size=3),
    st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=3),
    st.floats(0.05, 0.95),
)
def test_an_answer_stays_what_it_is_while_no_probability_moves_by_half_its_lead(
    mode: Any, scores: list[float], moves: list[float], threshold: float
) -> None:
    count = {"single": 0, "binary": 1, "multi": 3}[mode]
    labels = ("a", "b") if mode == "binary" else ("a", "b", "c")
    state = Labels(labels=labels, mode=mode, thresholds=(threshold,) * count)
    kept = scores[: 1 if mode == "binary" else 3]
    then, now = np.asarray(kept), np.asarray(kept) + moves[: len(kept)]
    put: Any = Verdict().formulations(TinyEncoder().spec)["features"]
    lead = put.lead((), [{"scores": then}], state)
    moved = np.abs(probabilities(then[None], state) - probabilities(now[None], state)).max()
    if 2 * moved < lead - 1e-9:
        old, new = (put.decode((), [{"scores": one}], state) for one in (then, now))
        assert (old.label, old.labels) == (new.label, new.labels)
    assert 0 <= lead <= 1


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1, width=16), st.booleans()), min_size=1, max_size=12))
def test_no_threshold_has_a_better_f1_than_the_tuned_one(pairs: list[tuple[float, bool]]) -> None:
    given_, wanted = np.asarray([[p] for p, _ in pairs]), np.asarray([[float(w)] for _, w in pairs])

    def f1(threshold: float) -> float:
        said = given_[:, 0] >= threshold
        return float(2 * (said * wanted[:, 0]).sum() / max(1, said.sum() + wanted.sum()))

    [tuned] = best_thresholds(given_, wanted)
    if wanted.any():
        assert f1(tuned) == pytest.approx(max(f1(float(p)) for p in given_[:, 0]))


@pytest.mark.parametrize(
    ("given", "wanted", "is_right", "sure", "told"),
    [
        (("a", "b"), ("b", "a"), True, 0.9, "a, b"),
        (("a",), (), False, 0.9, "a"),  # given wrongly: its own score
        (("a",), ("a", "c"), False, 0.8, "a"),  # lacking: how sure the function was that it is not there
        ((), ("c",), False, 0.8, "nothing"),
    ],
)
def test_an_answer_of_several_labels_is_as_sure_as_its_surest_fault(
    given: tuple[str, ...], wanted: tuple[str, ...], is_right: bool, sure: float, told: str
) -> None:
    scores = {"a": 0.9, "b": 0.6, "c": 0.2}
    output = Classification(label=None, score=0.9, scores=scores, labels=given)
    state = Labels(labels=("a", "b", "c"), mode="multi", thresholds=(0.5,) * 3)
    found = Verdict().judge(output, JudgedRemark(remark="x", verdict=wanted), state)
    assert (found.is_right, found.confidence, found.given) == (is_right, pytest.approx(sure), told)
