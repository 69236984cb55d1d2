"""A label that the training data have not: it stops with file and line, or is skipped and counted with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import functory
from functory import errors
from functory.cli import main

TRAIN = [{"text": f"number {n} is {side}", "label": side} for n in range(30) for side in ("left", "right")]


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Path]:
    """A place with two tables, each with a label that is in no training data: dev in line 3, test in lines 2 and 4."""
    pytest.importorskip("torch")
    from functory_sdk.testing import kit

    (tmp_path / "dev.csv").write_text("text,label\none is left,left\ntwo is up,up\nthree is right,right\n")
    (tmp_path / "test.csv").write_text("text,label\none is down,down\ntwo is left,left\nthree is up,up\nfour,right\n")
    with kit():
        yield tmp_path


def build(tables: Path, **fields: Any) -> functory.Function:
    return functory.build(
        task="text-classification", backbone="tiny-encoder", adaptation="head", train=TRAIN,
        dev=tables / "dev.csv", test=tables / "test.csv", **fields,
    )  # fmt: skip


def test_an_unknown_label_of_a_given_split_stops_with_file_and_line(tables: Path) -> None:
    with pytest.raises(errors.DataError, match=r"(?s)unknown label 'up'.*dev\.csv, line 3.*on_bad_row='skip'"):
        build(tables)


def test_unknown_labels_of_given_splits_are_skipped_and_counted(tables: Path) -> None:
    told: list[str] = []
    fn = build(tables, on_bad_row="skip", tell=told.append)
    assert fn.state.labels == ("left", "right")
    assert (fn.about.data["dev"]["examples"], fn.about.data["test"]["examples"]) == (2, 2)
    assert fn.report is not None
    assert (fn.report.examples, fn.report.skipped) == (2, 2)
    for side, first in (("dev: 1 bad row was", "dev.csv, line 3"), ("test: 2 bad rows were", "test.csv, line 2")):
        [note] = [note for note in told if note.startswith(side)]
        assert f"{first}: unknown label" in note
        assert note in fn.about.notes


def test_evaluation_skips_unknown_labels_and_names_the_first(tables: Path) -> None:
    fn = build(tables, on_bad_row="skip")
    place = r"test\.csv, line 2"
    with pytest.raises(errors.DataError, match=f"(?s)unknown label 'down'.*{place}"):
        fn.evaluate(tables / "test.csv")
    report = fn.evaluate(tables / "test.csv", on_bad_row="skip")
    assert (report.examples, report.skipped) == (2, 2)
    assert any("2 bad rows were skipped, the first: " in note and "line 2: unknown label 'down'" in note
               for note in report.notes)  # fmt: skip
    other = functory.build(
        task="text-classification", backbone="tiny-encoder", adaptation="head",
        train=[{**row, "label": "only"} for row in TRAIN[:20]] + [{**row, "label": "left"} for row in TRAIN[20:]],
    )  # fmt: skip
    assert other.held_out is not None
    with pytest.raises(errors.DataError, match=r"unknown label 'only'"):
        fn.evaluate(other.held_out)
    assert fn.evaluate(other.held_out, on_bad_row="skip").skipped


def test_both_verbs_take_the_columns_names_and_count_what_they_skip(
    tables: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = "body,kind\n" + "".join(f"{row['text']},{row['label']}\n" for row in TRAIN)
    (tables / "train.csv").write_text(train)
    (tables / "more.csv").write_text("body,kind\nhere is left,left\nthere is up,up\nnow right,right\n")
    named = ["--column", "text=body", "--column", "label=kind", "--on-bad-row", "skip", "--json"]
    made = str(tables / "made")
    parts = ["--task", "text-classification", "--backbone", "tiny-encoder", "--adaptation", "head",
             "--train", str(tables / "train.csv")]  # fmt: skip
    assert main(["build", *parts, "--test", str(tables / "more.csv"), "--output", made, *named]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["report"]["skipped"] == 1
    assert "note: test: 1 bad row was skipped, the first: " in told.err
    assert "more.csv, line 3" in told.err
    assert main(["evaluate", made, "--data", str(tables / "more.csv"), *named]) == 0
    assert json.loads(capsys.readouterr().out)["examples"] == 2
    assert main(["evaluate", made, "--data", str(tables / "more.csv"), "--column", "text=title"]) == 1
