"""Two functions beside each other: what differs in figures, with its interval, and which rows are behind it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import functory
from functory import errors
from functory.cli import main

pytest.importorskip("torch", reason="pip install functory-torch")

from functory.measuring.comparison import Comparison, Difference, Disagreement
from functory.measuring.intervals import evaluate_with_intervals
from functory.using.comparing import _paired
from functory_sdk.testing.toy import ToyState, rows
from functory_sdk.testing.toybox import kit, toy_function


@pytest.fixture(scope="module")
def toy() -> Iterator[Any]:
    """A toy function that answers nearly everything rightly."""
    with kit():
        yield toy_function()


@pytest.fixture(scope="module")
def weak(toy: Any) -> Any:
    """A toy function that was taught wrongly what two of the four decisive words say."""
    taught = rows(48, seed=3)
    for row in taught:
        if {"fine", "poor"} & set(row["text"].split()):
            row["label"] = "yes" if row["label"] == "no" else "no"
    return functory.build(
        task="toy", train=taught, backbone="tiny-encoder", adaptation="toy-head", name="weak", report=False
    )


@pytest.fixture(scope="module")
def data() -> list[dict[str, str]]:
    return rows(120, seed=9)


def test_each_difference_is_that_of_two_evaluations_and_rows_are_those_answered_differently(
    toy: Any, weak: Any, data: list[dict[str, str]]
) -> None:
    found = functory.compare(toy, weak, data, rows=1000)
    accuracies = [one.evaluate(data).metrics["accuracy"].value for one in (toy, weak)]
    difference = found.metrics["accuracy"]
    assert (difference.first, difference.second) == pytest.approx(tuple(accuracies))
    assert difference.value == pytest.approx(accuracies[1] - accuracies[0])
    assert difference.low < difference.value < difference.high < 0
    assert difference.better() == "first"
    by = (-difference.value, -difference.high, -difference.low)
    assert found.verdict() == "toy is better in accuracy, by {:.3f} ({:.3f} to {:.3f}).".format(*by)

    answers = [[out.label for out in one.map(row["text"] for row in data)] for one in (toy, weak)]
    golds = [row["label"] for row in data]
    differing = [n for n in range(len(data)) if answers[0][n] != answers[1][n]]
    assert found.differing == len(found.rows) == len(differing) > 5
    assert found.first_alone == sum(answers[0][n] == golds[n] for n in differing)
    assert found.second_alone == sum(answers[1][n] == golds[n] for n in differing)
    assert {one.place for one in found.rows} == {f"rows[{n}]" for n in differing}
    for one in found.rows:
        n = int(one.place.removeprefix("rows[").rstrip("]"))
        assert (one.text, one.first, one.second, one.wanted) == (data[n]["text"], answers[0][n], answers[1][n], golds[n])
        assert one.right == ("first" if one.first == one.wanted else "second")
    sure = [min(one.first_confidence, one.second_confidence) for one in found.rows]
    assert sure == sorted(sure, reverse=True)
    assert functory.Comparison.model_validate_json(found.to_json()) == found

    back = functory.compare(weak, toy, data)
    assert back.metrics["accuracy"].value == -difference.value
    assert back.verdict() == found.verdict()
    assert len(back.rows) == min(20, len(differing))


def test_what_is_hard_for_both_counts_for_neither() -> None:
    """The interval is that of the differences, example by example, and not of two independent figures."""
    draw = np.random.default_rng(0)
    easy = draw.random(2000) < 0.6
    one = easy & (draw.random(2000) < 0.97)
    other = easy
    scorers = [lambda indices, right=right: {"accuracy": float(right[indices].mean())} for right in (one, other)]
    found = evaluate_with_intervals(_paired(scorers), 2000, seed=0).metrics["accuracy"]
    gains = other.astype(float) - one
    half = 1.96 * gains.std() / 2000**0.5
    assert found.value == pytest.approx(gains.mean())
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half), abs=0.001)
    assert half < 0.01 < 1.96 * (0.24 / 2000 * 2) ** 0.5


@pytest.mark.parametrize(
    ("low", "high", "higher_is_better", "better"),
    [(0.1, 0.2, True, "second"), (-0.2, -0.1, True, "first"), (-0.1, 0.1, True, None), (0.0, 0.1, True, None),
     (0.1, 0.2, False, "first"), (-0.2, -0.1, False, "second"), (None, None, True, None)],
)  # fmt: skip
def test_a_difference_counts_where_its_whole_interval_is_on_one_side(
    low: float | None, high: float | None, higher_is_better: bool, better: str | None
) -> None:
    assert Difference(first=0, second=0, value=0, low=low, high=high, higher_is_better=higher_is_better).better() == better


def test_a_function_beside_itself_answers_all_alike(toy: Any, data: list[dict[str, str]]) -> None:
    found = functory.compare(toy, toy, data[:30])
    assert (found.differing, found.rows) == (0, ())
    assert found.metrics["accuracy"].low == found.metrics["accuracy"].high == 0
    assert (found.first, found.second) == ("toy (first)", "toy (second)")
    assert "Verdict: they answer all 30 examples alike." in str(found)


def test_functions_of_other_tasks_or_other_labels_are_told(toy: Any, data: list[dict[str, str]]) -> None:
    class Other(type(toy.task)):
        name = "other"

    with pytest.raises(errors.UsageError, match="toy does toy, and toy does other"):
        functory.compare(toy, toy.replaced(task=Other()), data)
    narrow = toy.replaced(state=ToyState(labels=("no", "perhaps")))
    with pytest.raises(errors.DataError, match="toy, the second, cannot be measured on it: unknown label 'yes'"):
        functory.compare(toy, narrow, data)
    found = functory.compare(toy, narrow, data, on_bad_row="skip")
    assert found.examples == sum(row["label"] == "no" for row in data)
    assert found.skipped == len(data) - found.examples
    assert "toy (first) alone knows 'yes'." in found.notes
    assert "toy (second) alone knows 'perhaps'." in found.notes


def test_compare_takes_saved_functions_and_prints_what_differs(
    toy: Any, weak: Any, data: list[dict[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(one.save(tmp_path / name)) for one, name in ((toy, "toy"), (weak, "weak"))]
    file = tmp_path / "test.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in data))
    assert main(["compare", *folders, "--data", str(file), "--rows", "3"]) == 0
    out = capsys.readouterr().out
    assert "toy and weak on test.jsonl: 120 examples" in out
    assert "Verdict: toy is better in accuracy, by 0." in out
    assert "; 3 of them:" in out
    assert len([line for line in out.splitlines() if line.strip().startswith("line ")]) == 3
    assert "✓" in out
    assert main(["compare", *folders, "--data", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["first"], told["second"], len(told["rows"])) == ("toy", "weak", 10)
    assert main(["compare", folders[0], str(tmp_path / "none"), "--data", str(file)]) == 1
    assert "no function lies here" in capsys.readouterr().err


def test_functions_of_one_name_are_told_apart_as_they_were_called_for_or_by_what_differs(
    toy: Any, data: list[dict[str, str]], tmp_path: Path
) -> None:
    folder = toy.save(tmp_path / "other")
    assert functory.compare(toy.save(tmp_path / "one"), folder, data[:4]).second == str(folder)
    newer = toy.replaced(about=dataclasses.replace(toy.about, version="0.2.0"))
    found = functory.compare(toy, newer, data[:4])
    assert (found.first, found.second) == ("toy 0.1.0", "toy 0.2.0")


def test_of_answers_with_parts_those_are_shown_that_only_one_has(data: list[dict[str, str]]) -> None:
    row = Disagreement(
        place="a, line 3", text="x", first="Ann, Rome", second="Ann", first_parts=("Rome",), first_confidence=0.9,
        wanted="Ann", right="second",
    )  # fmt: skip
    made = Comparison(first="a", second="b", task="ner", source="a", examples=5, metrics={}, differing=1, rows=(row,))
    [line] = [line for line in str(made).splitlines() if "line 3" in line]
    assert line.split("  ")[0:1] == [" line 3"]
    assert "alone: Rome 0.90" in line
    assert "alone: nothing ✓" in line


def test_the_seconds_of_a_comparison_are_not_those_of_opening(
    toy: Any, data: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = toy.replaced()
    opened: list[bool] = []
    monkeypatch.setattr(
        "functory.using.comparing.time",
        SimpleNamespace(perf_counter=lambda: opened.append(closed.held._session is not None) or float(len(opened))),
    )
    assert functory.compare(closed, toy, data[:4]).seconds == (1.0, 1.0)
    assert opened[0]
