"""Paths, ratings and inputs that are none of the labels: what is learned, answered and measured. No model is run here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from functory.measuring.evaluation import read_examples
from functory_sdk import DataError, OptionError
from functory_sdk.labels import classify, scope
from functory_sdk.labels.metrics import path_metrics, rating_metrics, scope_metrics
from functory_sdk.labels.types import Labels, Scope
from functory_text_classification import TextClassification


def task(**options: Any) -> TextClassification:
    return TextClassification.configure(options)


def learned(found: list[Any], **options: Any) -> Labels:
    """Return the state of texts with these labels, read as data are."""
    made = task(**options)
    rows = [{"text": f"text {n}", "label": label} for n, label in enumerate(found)]
    return made.learn(list(read_examples(made, None, rows)))


def answered(shares: list[float], state: Labels, number: float | None = None) -> Any:
    return classify.answer(np.asarray(shares), state, (), number)


PATHS = ["hardware/printer/jam", "hardware/printer/ink", "hardware", "software/mail"]


def test_a_path_is_answered_with_the_probability_of_every_path_at_each_level() -> None:
    state = learned([*PATHS, " /software / mail/ "], mode="path")
    assert state.labels == ("hardware", "hardware/printer/ink", "hardware/printer/jam", "software/mail")
    output = answered([0.1, 0.2, 0.3, 0.4], state)
    assert (output.label, output.path) == ("software/mail", ("software", "mail"))
    assert output.levels == (
        {"hardware": 0.6, "software": 0.4},
        {"hardware/printer": 0.5, "software/mail": 0.4},
        {"hardware/printer/ink": 0.2, "hardware/printer/jam": 0.3},
    )
    assert answered([0.5, 0.2, 0.2, 0.1], state).path == ("hardware",)  # a parent that is a label too ends early
    assert [*output.with_best(1).levels[0]] == ["hardware"]


def test_a_path_of_ten_thousand_is_summed_exactly() -> None:
    labels = tuple(f"{n // 1000}/{n // 10}/{n}" for n in range(10_000))
    output = answered([1e-4] * 10_000, Labels(labels=labels, mode="path", separator="/"))
    assert [len(level) for level in output.levels] == [10, 1000, 10_000]
    assert output.levels[0]["7"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("label", "told"), [("a//b", "has an empty step: 'a//b'"), ("/", "has an empty step"), (["a", "b/c"], "'b/c' holds '/'")]
)
def test_a_path_that_is_none_is_named_with_its_row(label: Any, told: str) -> None:
    with pytest.raises(DataError) as refused:
        learned(["a/b", label], mode="path")
    assert told in refused.value.what
    assert refused.value.where == "rows[1]"


def test_steps_that_only_look_different_are_refused_or_merged() -> None:
    with pytest.raises(DataError, match="'Hardware'.*and 'hardware'"):
        learned(["hardware/printer", "Hardware/mouse"], mode="path")
    merged = learned(["hardware/printer", "Hardware/mouse", "hardware"], mode="path", alike="merge")
    assert merged.labels == ("hardware", "hardware/mouse", "hardware/printer")
    [later] = read_examples(task(mode="path", alike="merge"), merged, [{"text": "x", "label": "HARDWARE/Mouse"}])
    assert later.label == "hardware/mouse"


def test_an_unknown_path_is_refused_with_the_near_one() -> None:
    made = task(mode="path")
    state = learned(PATHS, mode="path")
    with pytest.raises(DataError) as refused:
        read_examples(made, state, [{"text": "x", "label": "hardware/printer/jams"}])
    assert "unknown label 'hardware/printer/jams'" in str(refused.value)
    assert "did you mean 'hardware/printer/jam'?" in str(refused.value)


def test_paths_are_measured_by_their_steps_and_by_level() -> None:
    state = learned(PATHS, mode="path")
    given = [("hardware/printer/jam",), ("hardware/printer/ink",), ("hardware",), ("software/mail",)]
    wanted = [("hardware/printer/jam",), ("hardware/printer/jam",), ("hardware/printer/ink",), ("hardware",)]
    found = path_metrics(given, wanted, state)(np.arange(4))
    assert found["hierarchical_precision"] == pytest.approx((3 + 2 + 1 + 0) / (3 + 3 + 1 + 2))
    assert found["hierarchical_recall"] == pytest.approx((3 + 2 + 1 + 0) / (3 + 3 + 3 + 1))
    assert [found[f"level_{n}_accuracy"] for n in (1, 2, 3)] == [0.75, 0.5, 0.25]
    assert found["level_1_macro_f1"] == pytest.approx((6 / 7 + 0) / 2)


def test_ratings_are_ordered_by_their_numbers_with_gaps_or_as_the_options_say() -> None:
    assert learned([10, 2, 1, 2], mode="ordinal").labels == ("1", "2", "10")
    assert learned([10, 2, 1, 2], mode="ordinal").numbers == (1.0, 2.0, 10.0)
    worded = learned(["good", "bad"], mode="ordinal", labels=["bad", "fair", "good"])
    assert (worded.labels, worded.numbers) == (("bad", "fair", "good"), (1.0, 2.0, 3.0))
    assert learned(["5", "1"], mode="ordinal", labels=["5", "3", "1"]).numbers == (5.0, 3.0, 1.0)
    with pytest.raises(DataError, match="the order of the labels is not known") as refused:
        learned(["10 stars", "2 stars", "1 star"], mode="ordinal")
    assert "labels = ['1 star', '2 stars', '10 stars']" in refused.value.do
    with pytest.raises(DataError, match="'1' and '1.00' are one number"):
        learned(["1", "1.00", "2"], mode="ordinal", alike="keep")


def test_a_rating_is_the_label_at_which_half_of_the_probability_is_reached() -> None:
    state = learned([1, 2, 3, 4, 5], mode="ordinal")
    output = answered([0.4, 0.0, 0.0, 0.3, 0.3], state)
    assert (output.label, output.value, output.score) == ("4", pytest.approx(3.1), 0.3)
    assert [answered(one, state).label for one in ([0.0, 0.0, 0.2, 0.2, 0.6], [0.5, 0.1, 0.1, 0.1, 0.2])] == ["5", "1"]
    assert answered([0.3, 0.3, 0.4, 0.0, 0.0], state).label == "2"  # where the likeliest is 3
    assert classify.lead(np.asarray([0.4, 0.0, 0.0, 0.3, 0.3]), state) == pytest.approx(0.1)


def test_quadratic_kappa_and_error_are_as_they_are_defined() -> None:
    state = learned([1, 2, 3, 4], mode="ordinal")
    true, said = ["1", "2", "3", "4", "4", "1"], ["1", "3", "3", "4", "2", "2"]
    found = rating_metrics(said, true, state)(np.arange(6))
    assert found["mean_absolute_error"] == pytest.approx(4 / 6)
    observed, chance = np.zeros((4, 4)), np.zeros((4, 4))
    for one, other in zip(true, said, strict=True):
        observed[int(one) - 1, int(other) - 1] += 1
    chance = np.outer(observed.sum(1), observed.sum(0)) / 6
    weights = (np.arange(4)[:, None] - np.arange(4)) ** 2
    assert found["quadratic_kappa"] == pytest.approx(1 - (weights * observed).sum() / (weights * chance).sum())
    constant = rating_metrics(["2"] * 6, true, state)(np.arange(6))["quadratic_kappa"]
    assert (constant, str(constant)) == (0.0, "0.0")
    assert task(mode="ordinal").metric == "quadratic_kappa"
    assert task().metric == "accuracy"


def test_the_limit_is_where_right_answers_and_declined_strangers_have_the_greatest_sum() -> None:
    sure = np.asarray([0.9, 0.8, 0.7, 0.6, 0.5, 0.2])
    inside = np.asarray([True, True, False, True, False, False])
    right = np.asarray([True, True, False, False, False, False])
    assert scope.best_limit(sure, right, inside, 0.95) == pytest.approx(0.75)
    assert scope.best_limit(sure, inside, inside, 0.95) == pytest.approx(0.55)  # 1 + 2/3, as 0.75 has: less is declined
    nothing = np.zeros(6, dtype=bool)
    assert scope.best_limit(sure, nothing, nothing, 0.95) is None
    assert scope.best_limit(sure, right, ~nothing, 0.5) == 0.7  # no stranger in dev: half of it is answered
    assert scope.best_limit(sure, right, ~nothing, 1.0) == 0.2


def test_a_function_declines_below_its_limit_and_names_what_is_out_of_scope() -> None:
    learnt = learned(["a", "b", "oos", "a"], out_of_scope="oos")
    assert (learnt.labels, learnt.inside) == (("a", "b", "oos"), 2)
    assert answered([0.3, 0.3, 0.4], learnt).label == "oos"  # before there is a limit, the likeliest of all
    tuned = learnt.model_copy(update={"scope": Scope(label="oos", limit=0.28)})
    assert (answered([0.3, 0.3, 0.4], tuned).label, answered([0.3, 0.3, 0.4], tuned).abstained) == ("a", False)
    declined = answered([0.25, 0.25, 0.5], tuned)
    assert (declined.label, declined.labels, declined.score, declined.in_scope) == ("oos", ("oos",), 0.5, 0.25)
    assert declined.abstained
    unnamed = Labels(labels=("a", "b"), scope=Scope(limit=0.7))
    assert (answered([0.6, 0.4], unnamed).label, answered([0.6, 0.4], unnamed).labels) == (None, ())
    by_energy = Labels(labels=("a", "b"), scope=Scope(by="energy", limit=3.0))
    assert (answered([0.6, 0.4], by_energy, 2.9).abstained, answered([0.6, 0.4], by_energy, 3.1).label) == (True, "a")


def test_a_label_of_what_is_out_of_scope_that_no_example_has_is_noted() -> None:
    rows = [{"text": f"text {n}", "label": label} for n, label in enumerate(("a", "b", "oos"))]
    for name, says in (("oss", ["did you mean 'oos'?"]), ("nope", ["the labels are a, b, oos"]), ("oos", [])):
        made = task(out_of_scope=name)
        notes = made.audit(read_examples(made, None, rows))
        assert len(notes) == len(says)
        assert all("none of 3 examples of" in note and f"is labelled {name!r}" in note and says[0] in note for note in notes)


def test_what_is_out_of_scope_may_stand_in_dev_alone() -> None:
    made = task(out_of_scope="oos")
    state = learned(["a", "b", "a"], out_of_scope="oos")
    assert (state.labels, state.answers) == (("a", "b"), ("a", "b", "oos"))
    [example] = read_examples(made, state, [{"text": "x", "label": "oos"}])
    assert classify.gold(made.labels_of(example), state) == classify.PASSED_OVER
    assert "oos" in made.output_schema(state)["properties"]["label"]["enum"]
    with pytest.raises(DataError, match="there is one label"):
        learned(["a", "a"], out_of_scope="oos")


def test_metrics_of_declining_tell_what_the_data_have() -> None:
    state = Labels(labels=("a", "b"), scope=Scope(label="oos", limit=0.5))
    shares = [[0.9, 0.1], [0.8, 0.2], [0.55, 0.45], [0.7, 0.3], [0.52, 0.48]]
    outputs = [answered(one, state.model_copy(update={"scope": Scope(label="oos", limit=0.6)})) for one in shares]
    right = [("a",), ("b",), ("a",), ("oos",), ("oos",)]
    found = scope_metrics(outputs, right, state)(np.arange(5))
    assert found["in_scope_accuracy"] == pytest.approx(1 / 3)
    assert (found["abstained"], found["out_of_scope_recall"], found["out_of_scope_precision"]) == (0.4, 0.5, 0.5)
    assert found["auroc"] == pytest.approx((2 + 2 + 1) / 6)
    assert scope_metrics(outputs[:3], right[:3], state)(np.arange(3)).keys() == {"in_scope_accuracy", "abstained"}


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "multi", "abstain": "energy"}, {"mode": "ordinal", "out_of_scope": "oos"},
        {"out_of_scope": "oos", "abstain": "never"}, {"abstain": "energy", "answered": 0},
    ],
)  # fmt: skip
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        task(**options)


def test_lists_of_labels_decline_nothing() -> None:
    with pytest.raises(OptionError, match="mode is 'multi', and declines nothing"):
        learned([["a"], ["b", "a"]], out_of_scope="oos")


@pytest.mark.parametrize(("by", "sure"), [("probability", 0.75), ("energy", np.log(4))])
def test_a_function_without_examples_declines_too_once_dev_has_shown_where(by: str, sure: float) -> None:
    from functory_sdk.testing import TinyDecoder

    made = task(labels=["a", "b"], abstain=by, out_of_scope="oos", calibrate=False)
    put, state = made.formulations(TinyDecoder().spec)["prompt"], made.learn([])
    rows = [[{"log_probability": np.log(likely)} for likely in pair] for pair in ((3.0, 1.0), (1.0, 1.1))]
    dev = [made.Example(text="x", label=label) for label in ("a", "oos")]
    tuned = put.tune([(), ()], rows, dev, state)
    answers = [put.decode((), one, tuned) for one in rows]
    assert [(one.label, one.abstained) for one in answers] == [("a", False), ("oos", True)]
    assert answers[0].in_scope == pytest.approx(sure, abs=1e-5)
    assert put.lead((), rows[0], tuned) > 0


def test_heads_from_elsewhere_are_ratings_and_paths_too() -> None:
    state, order = task(mode="ordinal").adopt(["3", "1", "2"])
    assert (state.labels, state.numbers, list(order)) == (("1", "2", "3"), (1.0, 2.0, 3.0), [1, 2, 0])
    state, order = task(mode="path").adopt(["a / b", "c"])
    assert (state.labels, state.separator, list(order)) == (("a/b", "c"), "/", [0, 1])
    with pytest.raises(OptionError, match="mode = 'ordinal', and the head was fitted for 'multi'"):
        task(mode="ordinal").adopt(["1", "2"], is_multi=True)
