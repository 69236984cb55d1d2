"""Labels as tables have them: lists in a cell, several in one text, numbers."""

from __future__ import annotations

import csv
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functory.measuring.evaluation import read_examples
from functory.recipe import set_option
from functory_sdk import DataError, Input, Label, LabelOptions, LabelTask, OptionError
from functory_sdk.labels.several import joined_by
from functory_text_classification import LabelledText, Text, TextClassification


def read(labels: list[Any], **options: Any) -> list[Any]:
    rows = [{"text": f"text {n}", "label": label} for n, label in enumerate(labels)]
    return [example.label for example in read_examples(TextClassification.configure(options), None, rows)]


def refusal(labels: list[Any], **options: Any) -> DataError:
    with pytest.raises(DataError) as refused:
        read(labels, **options)
    return refused.value


@pytest.mark.parametrize(
    "cells",
    [
        ["['red', 'car']", "['car']", "[]"], ['["red", "car"]', '["car"]', "[]"], ["['red' 'car']", "['car']", "[]"],
        [["red ", "car"], ["car"], []], [np.asarray(["red", "car"]), np.asarray(["car"]), np.asarray([])],
    ],
)  # fmt: skip
def test_lists_are_read_as_json_python_and_numpy_write_them(tmp_path: Path, cells: list[Any]) -> None:
    assert read(cells) == [("red", "car"), ("car",), ()]
    if isinstance(cells[0], str):
        with (tmp_path / "c.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *((f"text {n}", cell) for n, cell in enumerate(cells))])
        task = TextClassification()
        found = read_examples(task, None, tmp_path / "c.csv")
        assert [example.label for example in found] == [("red", "car"), ("car",), ()]
        state = task.learn(list(found))
        assert (state.labels, state.mode) == (("car", "red"), "multi")


def test_a_separator_cuts_a_text_into_labels() -> None:
    cells = ["red, car", "car", "red;car,", "car,car"]
    assert read(cells, separator=",") == [("red", "car"), ("car",), ("red;car",), ("car",)]
    assert read(["red", ["car", "red"]], separator=",") == [("red",), ("car", "red")]


def test_a_separator_is_refused_by_a_task_with_one_label_an_example() -> None:
    class One(Input):
        text: str
        label: Label

    class Single(LabelTask[LabelOptions]):
        Input, Example = Text, One

    with pytest.raises(OptionError, match=r"separator = ',', and task .* has one label an example"):
        read_examples(Single.configure({"separator": ","}), None, [{"text": "a", "label": "x"}])


def test_joined_labels_are_refused_where_several_are_wanted_and_noted_elsewhere() -> None:
    error = refusal(["blue", "red,car", "car"], mode="multi")
    assert error.what == "label = 'red,car' looks like several labels in one text."
    assert error.where == "rows[1]"
    fields: dict[str, Any] = {"task": "text-classification"}
    set_option(fields, shlex.split(error.do.partition("(--set ")[2].partition(")")[0])[0])
    assert fields["task"]["separator"] == ","  # the remedy can be typed as it stands
    assert read(["blue", "red,car"], mode="multi", separator="|") == [("blue",), ("red,car",)]
    assert read(["red", "car"], mode="multi") == ["red", "car"]
    task = TextClassification()
    rows = [{"text": f"text {n}", "label": label} for n, label in enumerate(("blue", "red;car", "red", "car"))]
    [note] = task.audit(read_examples(task, None, rows))
    assert note == "labels look joined by ';': 'red;car' in rows[1]; separator = ';' reads them as several each."


def test_lists_of_one_label_each_are_noted_since_they_may_mean_one_of_several() -> None:
    def notes(*labels: list[str], **options: Any) -> Sequence[str]:
        rows = [{"text": f"text {n}", "label": label} for n, label in enumerate(labels * 15)]
        task = TextClassification.configure(options)
        return task.audit(read_examples(task, None, rows))

    assert "mode = 'single'" in notes(["red"], ["car"])[0]
    assert not notes(["red"])  # a side of a split may hold no other
    assert not notes(["red"], ["car"], ["red", "car"])
    assert not notes(["red"], ["car"], [])
    assert not notes(["red"], ["car"], mode="multi")


@pytest.mark.parametrize(
    ("labels", "separator"),
    [
        (["red,car", "red", "car"], ","), (["a|b", "b|c", "a|c"], "|"), (["x; y", "y"], ";"), (["红、蓝", "蓝"], "、"),
        (["rec/autos", "rec/boats", "sci/space"], ""), (["Sci/Tech", "World", "Sports"], ""), (["red", "car"], ""),
        (["Hello, world", "Bye"], ""), ([], ""), ([","], ""),
    ],
)  # fmt: skip
def test_a_sign_joins_labels_where_its_parts_come_back(labels: list[str], separator: str) -> None:
    assert joined_by(labels) == separator


def test_lists_and_texts_in_one_column_are_refused_with_their_first_rows() -> None:
    error = refusal(["['red', 'car']", "red", "['car']"])
    assert "2 examples have a list of labels (the first rows[0]), and 1 have a text ('red' in rows[1])" in error.what
    assert "separator = ','" in error.do


def test_numbers_and_truth_values_are_taken_and_alike_labels_merged_in_lists(tmp_path: Path) -> None:
    assert read([0, 1, True]) == ["0", "1", "True"]
    assert read([[0, 1], [1]]) == [("0", "1"), ("1",)]
    assert read([["Red", "red"], ["red"]], alike="merge") == [("red",), ("red",)]
    (tmp_path / "n.jsonl").write_text("\n".join(json.dumps({"text": "x", "label": label}) for label in (0, 1, False)))
    found = read_examples(TextClassification(), None, tmp_path / "n.jsonl")
    assert [example.label for example in found] == ["0", "1", "False"]
    assert LabelledText(text="x", label=3).label == "3"  # type: ignore[arg-type]
    with pytest.raises(DataError, match="label"):
        read([{"a": 1}])


def test_rows_of_zeros_and_ones_are_refused_and_a_list_cut_short_too() -> None:
    error = refusal([[0, 1, 0], [1, 1, 0]])
    assert "labels are rows of 3 zeros and ones, such as 0, 1, 0" in error.what
    assert read([[0, 1], [1]]) == [("0", "1"), ("1",)]
    assert "begins like a list" in refusal(["['red' ... 'car']"]).what


def test_a_label_that_only_looks_like_a_list_stays_a_label() -> None:
    assert read(["[sic]", "(a)", "plain"]) == ["[sic]", "(a)", "plain"]


def test_words_for_a_label_that_there_is_not_are_refused() -> None:
    options = {"labels": ["sport", "politics"], "descriptions": {"Sport": "a game"}}
    with pytest.raises(OptionError, match="descriptions has words for 'Sport', which is no label"):
        TextClassification.configure(options).learn([])
