"""How sure a function that labels was, in every mode: of what it answers, and of the label that is right."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from functory.contracts.trust import Abstaining, Sets
from functory_sdk import Input, LabelOptions, LabelOrList, Labels, LabelTask, chance
from functory_sdk.labels.classify import answer, lead
from functory_sdk.labels.types import Scope
from functory_sdk.testing import TinyEncoder


class Remark(Input):
    text: str


class JudgedRemark(Remark):
    label: LabelOrList


class Verdict(LabelTask[LabelOptions]):
    """Says what a remark makes of its subject."""

    Input: ClassVar = Remark
    Example: ClassVar = JudgedRemark


THREE = ("a", "b", "c")
SPEC = TinyEncoder().spec


def found(shares: list[list[float]], right: list[Any], state: Labels, numbers: Any = None) -> Any:
    outputs = [answer(np.asarray(one), state, (), None if numbers is None else numbers[n]) for n, one in enumerate(shares)]
    return Verdict().certainty(outputs, [JudgedRemark(text="", label=label) for label in right], state)


@pytest.mark.parametrize("mode", ["single", "path"])
def test_of_several_labels_the_likeliest_counts(mode: Any) -> None:
    told = found([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]], ["a", "b"], Labels(labels=THREE, mode=mode, separator="/"))
    assert (told.sure.tolist(), told.is_right.tolist()) == ([0.7, 0.4], [True, False])
    assert told.of_right.tolist() == [0.7, 0.3]
    assert told.is_open.all()


def test_of_labels_in_order_the_median_counts() -> None:
    told = found([[0.4, 0.25, 0.35]], ["b"], Labels(labels=THREE, mode="ordinal", numbers=(1, 2, 3)))
    assert (told.sure.tolist(), told.is_right.tolist()) == ([0.25], [True])


def test_of_one_label_or_not_the_answer_at_its_threshold_counts() -> None:
    told = found([[0.6, 0.4], [0.8, 0.2]], ["b", "b"], Labels(labels=("a", "b"), mode="binary", thresholds=(0.3,)))
    assert (told.sure.tolist(), told.is_right.tolist()) == ([0.4, 0.8], [True, False])


def test_of_any_number_of_labels_all_together_count_and_each_by_itself() -> None:
    state = Labels(labels=THREE, mode="multi", thresholds=(0.5, 0.5, 0.1))
    told = found([[0.9, 0.2, 0.3], [0.9, 0.2, 0.3]], [["a", "c"], ["a"]], state)
    assert told.sure.tolist() == [pytest.approx(0.9 * 0.8 * 0.3)] * 2
    assert told.is_right.tolist() == [True, False]
    assert told.is_so.tolist() == [True, False, True, True, False, False]
    assert told.of_right is None  # there is no one right label that a set could hold


@pytest.mark.parametrize("limit", [0.5, None])
def test_what_is_taken_for_none_of_the_labels_is_not_answered(limit: float | None) -> None:
    state = Labels(labels=("a", "b", "oos"), scope=Scope(label="oos", limit=limit))
    told = found([[0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.6, 0.3, 0.1]], ["a", "oos", "oos"], state)
    assert told.is_open.tolist() == [True, False, True]
    assert told.is_right.tolist() == [True, False, False]
    assert told.of_right.tolist() == [0.6, 0.5, 0.1]
    unlearned = found([[0.6, 0.4]], ["oos"], Labels(labels=("a", "b"), scope=Scope(label="oos", limit=limit)))
    assert unlearned.of_right.tolist() == [-1.0]  # no set can hold a label that was never learned


# Calibration


ROWS = 400


def sharpened(times: float, mode: Any = "single") -> tuple[list[list[dict[str, Any]]], list[Any], Labels]:
    """Return outputs of a head whose scores are so many times too sure, the right labels, and the state."""
    draw = np.random.default_rng(0)
    logits = draw.normal(0, 2, (ROWS, 3))
    chances = 1 / (1 + np.exp(-logits)) if mode == "multi" else np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    if mode == "multi":
        so = draw.random((ROWS, 3)) < chances
        right: list[Any] = [[label for n, label in enumerate(THREE) if row[n]] for row in so]
    else:
        right = [THREE[draw.choice(3, p=row)] for row in chances]
    state = Labels(labels=THREE, mode=mode, thresholds=(0.5,) * 3 if mode == "multi" else ())
    return [[{"scores": times * row}] for row in logits], right, state


def calibrated(outputs: Any, right: list[Any], state: Labels) -> Labels:
    put = Verdict().formulations(SPEC)["features"]
    found: Labels = put.calibrate([()] * len(outputs), outputs, [JudgedRemark(text="", label=one) for one in right], state)
    return found


@pytest.mark.parametrize("mode", ["single", "multi"])
@pytest.mark.parametrize("times", [3.0, 0.5])
def test_a_temperature_takes_away_by_how_much_scores_are_too_sure(times: float, mode: Any) -> None:
    outputs, right, state = sharpened(times, mode)
    assert calibrated(outputs, right, state).temperature == pytest.approx(times, rel=0.2)


def test_a_temperature_is_fitted_to_the_mean_over_an_inputs_rows() -> None:
    outputs, right, state = sharpened(3.0)
    twice = [[*rows, *rows] for rows in outputs]
    assert calibrated(twice, right, state).temperature == calibrated(outputs, right, state).temperature


def test_few_rows_and_rows_that_are_all_right_make_no_wild_temperature() -> None:
    outputs, right, state = sharpened(3.0)
    assert calibrated(outputs[:49], right[:49], state).temperature == 1.0
    sure = [[{"scores": np.asarray([3.0, 0.0, 0.0])}]] * 60
    assert calibrated(sure, ["a"] * 60, state).temperature > 0.3


def test_scores_and_what_is_explained_of_them_go_by_the_temperature() -> None:
    put, state = Verdict().formulations(SPEC)["features"], Labels(labels=THREE, temperature=2.0)
    rows = [{"scores": np.log([0.8, 0.15, 0.05])}]
    output = put.decode((), rows, state)
    root = np.sqrt([0.8, 0.15, 0.05])
    assert [*output.scores.values()] == pytest.approx(root / root.sum(), abs=1e-6)
    [target, *_] = put.targets(output, (), state)
    assert np.exp(put.value(target, (), rows, state)) == pytest.approx(output.score, abs=1e-6)
    assert chance(put.evidence(target, (), rows, state), "log") == pytest.approx(output.score, abs=1e-6)
    assert put.lead((), rows, state) == pytest.approx(output.scores["a"] - output.scores["b"], abs=1e-5)


def test_the_expected_rating_is_that_of_calibrated_scores() -> None:
    put = Verdict().formulations(SPEC)["features"]
    rows = [{"scores": np.log([0.8, 0.15, 0.05]), "value": np.asarray(1.25)}]
    state = Labels(labels=THREE, mode="ordinal", numbers=(1, 2, 3))
    warm = state.model_copy(update={"temperature": 2.0})
    assert put.decode((), rows, state).value == 1.25
    output = put.decode((), rows, warm)
    assert output.value == pytest.approx(sum(n * p for n, p in zip((1, 2, 3), output.scores.values(), strict=True)), abs=1e-5)


# Promises


def promising(limit: float = 0.5, least: float = 0.2, **fields: Any) -> Labels:
    return Labels(
        labels=THREE,
        abstaining=Abstaining(at=0.1, confidence=0.95, limit=limit, rows=100),
        sets=Sets(at=0.1, least=least, rows=100),
        **fields,
    )


def test_a_function_declines_up_to_the_limit_and_answers_above_it() -> None:
    state = promising()
    sure, unsure = (answer(np.asarray(shares), state, ()) for shares in ([0.51, 0.3, 0.19], [0.5, 0.3, 0.2]))
    assert (sure.label, sure.abstained, sure.prediction_set) == ("a", False, ("a", "b"))
    assert (unsure.label, unsure.labels, unsure.abstained) == (None, (), True)
    assert unsure.prediction_set == ("a", "b", "c")  # a set is promised of every input
    assert "among a, b" in sure.in_line()
    assert Verdict().output_schema(state)["properties"]["label"]["enum"] == [*THREE, None]


def test_the_likeliest_label_is_in_its_set_however_unlikely() -> None:
    assert answer(np.asarray([0.4, 0.3, 0.3]), promising(least=0.9), ()).prediction_set == ("a",)
    assert answer(np.asarray([0.4, 0.3, 0.3]), Labels(labels=THREE), ()).prediction_set == ()


@pytest.mark.parametrize(
    "state",
    [
        promising(0.99),
        promising(0.99, mode="path", separator="/"),
        promising(0.99, mode="ordinal", numbers=(1, 2, 3)),
        promising(0.99, mode="multi", thresholds=(0.5, 0.25, 0.5)).model_copy(update={"sets": None}),
    ],
    ids=lambda state: state.mode,
)
def test_metrics_mistakes_and_sureness_are_those_of_the_function_that_declines_nothing(state: Labels) -> None:
    task, shares = Verdict(), [[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]]
    examples = [JudgedRemark(text="", label=["a"] if state.mode == "multi" else "a") for _ in shares]
    declined, given = ([answer(np.asarray(one), some, ()) for one in shares] for some in (state, state.uncalibrated()))
    assert all(output.abstained and not output.labels for output in declined)
    chosen = np.arange(2)
    assert task.scorer(declined, examples, state)(chosen) == task.scorer(given, examples, state.uncalibrated())(chosen)
    assert task.breakdown(declined, examples, state) == task.breakdown(given, examples, state.uncalibrated())
    assert task.judge(declined[1], examples[1], state) == task.judge(given[1], examples[1], state.uncalibrated())
    told, plain = (task.certainty(outputs, examples, state) for outputs in (declined, given))
    assert told.sure.tolist() == plain.sure.tolist()


def test_what_is_none_of_the_labels_stays_declined_in_the_metrics() -> None:
    state = promising(0.99, scope=Scope(label="oos", limit=0.5))
    task, outputs = Verdict(), [answer(np.asarray(one), state, ()) for one in ([0.4, 0.3, 0.3], [0.6, 0.3, 0.1])]
    examples = [JudgedRemark(text="", label=label) for label in ("oos", "a")]
    assert [output.abstained for output in outputs] == [True, True]
    metrics = task.scorer(outputs, examples, state)(np.arange(2))
    assert (metrics["accuracy"], metrics["abstained"]) == (1.0, 0.5)


def test_an_answer_near_a_limit_is_too_close_to_call_elsewhere() -> None:
    shares = np.asarray([0.501, 0.3, 0.199])
    assert lead(shares, promising(least=0.9)) == pytest.approx(0.001)
    assert lead(shares, promising(limit=0.1)) == pytest.approx(0.001)
    assert lead(shares, Labels(labels=THREE)) == pytest.approx(0.201)


def test_the_baseline_of_a_function_that_declines_is_measured_too() -> None:
    state = promising(0.99, scope=Scope(label="oos", limit=0.5))
    examples = [JudgedRemark(text="", label="oos")] * 3
    answers = Verdict().baseline(examples, state)
    assert Verdict().scorer(answers, examples, state)(np.arange(3))["accuracy"] == 1.0
