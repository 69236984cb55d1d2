"""Labels in several columns: one of 0 and 1 for each label, and the steps of a path."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from functory.cli.options import pairs
from functory.errors import BadRows
from functory.measuring.evaluation import read_examples
from functory_sdk import DataError, Input, Label, LabelOptions, LabelTask
from functory_text_classification import Text, TextClassification

TAGS = ("red", "car")
STEPS = ("group", "product", "fault")


def read(rows: list[tuple[Any, ...]], columns: tuple[str, ...], **options: Any) -> list[Any]:
    data = [{"text": f"text {n}", **dict(zip(columns, row, strict=True))} for n, row in enumerate(rows)]
    task = TextClassification.configure(options)
    return [one.label for one in read_examples(task, None, data, columns={"label": list(columns)})]


def refusal(rows: list[tuple[Any, ...]], columns: tuple[str, ...], **options: Any) -> DataError:
    with pytest.raises(DataError) as refused:
        read(rows, columns, **options)
    return refused.value


def test_a_column_of_zeros_and_ones_for_each_label_gives_any_number_of_labels(tmp_path: Path) -> None:
    assert read([(1, 0), (1.0, "1"), (False, True), ("no", "yes"), (0, 0)], TAGS) == [
        ("red",), ("red", "car"), ("car",), ("car",), ()
    ]  # fmt: skip
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", *TAGS), ("a", 1, 1), ("b", 0, "0.0")])
    task = TextClassification()
    found = read_examples(task, None, tmp_path / "t.csv", columns=pairs(["label=red", "label=car"], "--column"))
    assert [one.label for one in found] == [("red", "car"), ()]
    assert task.learn(list(found)).mode == "multi"


def test_one_label_of_columns_is_exactly_one() -> None:
    assert read([(1, 0), (0, 1)], TAGS, mode="single") == ["red", "car"]
    none, several = (refusal([(1, 0), row], TAGS, mode="single") for row in ((0, 0), (1, 1)))
    for error, told in ((none, "none is 1"), (several, "red, car are 1")):
        assert f"{told}, and one label is wanted" in str(error)
        assert "rows[1], column" in str(error)


@pytest.mark.parametrize(("cell", "told"), [("maybe", "is 'maybe'"), (2, "is 2"), (None, "is empty"), ("", "is empty")])
def test_a_cell_that_is_neither_is_named_with_row_and_column(cell: Any, told: str) -> None:
    error = refusal([(1, 0), (cell, 1)], TAGS)
    assert f"'red' {told}, and a column for each label holds 0 or 1" in str(error)
    assert "rows[1]" in str(error)
    assert "'red'" in str(error)


def test_bad_rows_of_columns_can_be_skipped() -> None:
    rows = [{"text": "a", "red": 1, "car": 0}, {"text": "b", "red": "?", "car": 0}]
    found = read_examples(TextClassification(), None, rows, columns={"label": TAGS}, on_bad_row="skip")
    assert ([one.label for one in found], len(found.skipped)) == ([("red",)], 1)


def test_columns_of_steps_make_a_path_that_may_end_early() -> None:
    rows = [("hardware", "printer", "jam"), ("hardware", "printer ", None), ("software", "", float("nan")), (1.0, 2, 3)]
    assert read(rows, STEPS, mode="path") == ["hardware/printer/jam", "hardware/printer", "software", "1/2/3"]
    assert read([("Sci/Tech", "x", None)], STEPS, mode="path", separator=" > ") == ["Sci/Tech > x"]


@pytest.mark.parametrize(
    ("row", "told", "column"),
    [
        (("hardware", None, "jam"), "a path has a gap", "product"), ((None, None, None), "the path has no step", "group"),
        ((None, "printer", None), "a path has a gap", "group"), (("Sci/Tech", "x", None), "'Sci/Tech' holds '/'", "group"),
    ],
)  # fmt: skip
def test_a_path_with_a_gap_is_named_with_row_and_column(row: tuple[Any, ...], told: str, column: str) -> None:
    error = refusal([("a", "b", "c"), row], STEPS, mode="path")
    assert told in str(error)
    assert "rows[1]" in str(error)
    assert column in str(error)


def test_rows_of_zeros_and_ones_take_the_names_of_the_options() -> None:
    rows = [{"text": "a", "label": [1, 0, 1]}, {"text": "b", "label": [0, 0, 0]}]
    task = TextClassification.configure({"labels": ["red", "car", "old"]})
    assert [one.label for one in read_examples(task, None, rows)] == [("red", "old"), ()]


def test_columns_are_refused_where_they_make_no_label() -> None:
    rows = [{"text": "a", "more": "b", "red": 1, "car": 0}]
    with pytest.raises(BadRows, match="reads 'text' from one column, and not from 2"):
        read_examples(TextClassification(), None, rows, columns={"text": ["text", "more"], "label": ["red"]})
    with pytest.raises(DataError, match="'label' is to be read from 'red' twice"):
        read_examples(TextClassification(), None, rows, columns={"label": ["red", "red"]})
    with pytest.raises(DataError, match="there is no column 'cat' to map 'label' to") as refused:
        read_examples(TextClassification(), None, rows, columns={"label": ["red", "cat"]})
    assert "did you mean 'car'" in refused.value.do


def test_a_task_with_one_label_an_example_reads_exactly_one_column_that_is_1() -> None:
    class One(Input):
        text: str
        label: Label

    class Single(LabelTask[LabelOptions]):
        Input, Example = Text, One

    rows = [{"text": "a", "red": 0, "car": 1}]
    assert read_examples(Single(), None, rows, columns={"label": TAGS})[0].label == "car"
