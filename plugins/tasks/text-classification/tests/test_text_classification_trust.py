"""Calibrated scores and promises from a build to a wheel: on a tiny backbone."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

import functory
from functory.cli import main
from functory.measuring.report import Report
from functory.using.promising import promised_again
from functory_sdk import DataError, Function, NotSupported
from functory_sdk.testing import converted, kit

LABELS = ("good", "bad", "poor")
HEAD = {"name": "head", "penalty": 0.01}


def rows(count: int, seed: int, doubtful: float = 0.3) -> list[dict[str, str]]:
    """Return texts that say their label, of which some say two and mean one of them."""
    draw = random.Random(seed)
    made = []
    for n in range(count):
        label, other = draw.sample(LABELS, 2)
        made.append({"text": f"{label} {other if draw.random() < doubtful else 'film'} {n}", "label": label})
    return made


@pytest.fixture(scope="module")
def function() -> Iterator[Function]:
    with kit():
        yield functory.build(
            task="text-classification", train=rows(150, 1), dev_share=0.2, test=rows(150, 2), untouched=rows(280, 3),
            backbone="tiny-encoder", adaptation=HEAD, name="careful", abstain_at=0.05, sets_at=0.1, seed=1,
        )  # fmt: skip


def test_it_declines_what_it_is_not_sure_of_and_the_report_bears_its_promises_out(function: Function) -> None:
    report = function.report
    assert report is not None
    answers, sets = report.promises
    assert answers.kept
    assert sets.kept
    assert (answers.rows, sets.rows) == (210, 210)  # the others calibrate
    assert 0.1 < answers.share < 1
    assert function.state.temperature != 1
    assert report.calibration is not None
    assert report.calibration.before is not None
    outputs = list(function.map([row["text"] for row in rows(150, 2)]))
    assert sum(output.abstained for output in outputs) == 150 - answers.examples
    assert all(output.label is None for output in outputs if output.abstained)
    assert all(output.prediction_set for output in outputs)
    assert "Promised: at most 5.0% of answers wrong" in str(report)


def test_its_promises_are_kept_in_the_folder_the_schema_and_int8(function: Function, tmp_path: Path) -> None:
    loaded = functory.load(function.save(tmp_path / "careful"))
    assert loaded.state == function.state
    assert loaded("good film 3") == function("good film 3")
    assert loaded.report is not None
    assert function.report is not None
    assert loaded.report.promises == function.report.promises
    assert Report.model_validate_json(loaded.report.to_json()).promises == loaded.report.promises
    assert None in loaded.signature["output"]["properties"]["label"]["enum"]
    small = converted(function, tmp_path / "files", inputs=function.calibration)
    assert "torch fp32: look at" in promised_again(small, loaded).about.notes[-1]  # which knows no untouched rows any more
    small = promised_again(small, function)
    assert small.about.notes == function.about.notes
    small = functory.load(small.save(tmp_path / "small"))  # which replays its golden examples
    assert (small.state.abstaining.rows, small.state.sets.rows) == (210, 210)
    assert (small.state.abstaining.limit, small.state.sets) != (function.state.abstaining.limit, function.state.sets)
    assert [promise.kind for promise in small.evaluate(rows(50, 4)).promises] == ["abstain", "sets"]
    [wheel] = small.package("careful", tmp_path / "dist")
    ZipFile(wheel).extractall(tmp_path / "installed")
    stub = (tmp_path / "installed" / "careful" / "__init__.pyi").read_text(encoding="utf-8")
    assert "prediction_set" in stub


def test_rows_that_are_too_few_are_refused_before_training_with_how_many_are_wanted(function: Function) -> None:
    few: dict[str, Any] = {"task": "text-classification", "train": rows(60, 1), "backbone": "tiny-encoder", "adaptation": HEAD}
    with pytest.raises(DataError, match=r"abstain_at = 0\.05 is promised on 97 untouched rows at least, and there are 10"):
        functory.build(**few, untouched=rows(10, 3), abstain_at=0.05)
    with pytest.raises(DataError, match=r"sets_at = 0\.1 is promised on 9 untouched rows at least, and there are 8"):
        functory.build(**few, untouched=rows(8, 3), sets_at=0.1)
    with pytest.raises(NotSupported, match="several labels of an input may be right"):
        functory.build(**{**few, "task": {"name": "text-classification", "mode": "multi"}}, sets_at=0.1)
    with pytest.raises(NotSupported, match="have no probability"):
        functory.build(
            task="ner", train=[{"text": "Ada", "entities": [[0, 3, "per"]]}] * 9, backbone="tiny-encoder", adaptation="head",
            abstain_at=0.1,
        )  # fmt: skip


def test_a_command_line_asks_for_promises(tmp_path: Path, capsys: pytest.CaptureFixture[str], function: Function) -> None:
    files = {"train": rows(60, 1), "test": rows(30, 2), "untouched": rows(120, 3, 0.0)}
    for name, found in files.items():
        lines = (f"{row['text']},{row['label']}" for row in found)
        (tmp_path / f"{name}.csv").write_text("text,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    given = [part for name in files for part in (f"--{name}", str(tmp_path / f"{name}.csv"))]
    fitted = ["--backbone", "tiny-encoder", "--adaptation", "head", "--output", str(tmp_path / "told")]
    build = ["build", "--task", "text-classification", *given, *fitted]
    assert main([*build, "--abstain-at", "0.2", "--sets-at", "0.1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["kind"], one["at"]) for one in told["report"]["promises"]] == [("abstain", 0.2), ("sets", 0.1)]
    assert told["info"]["recipe"]["abstain_at"] == 0.2
    assert main([*build, "--abstain-at", "0.01"]) == 1
    assert "is promised on 528 untouched rows at least, and there are 120" in capsys.readouterr().err


def test_a_function_that_is_wrong_too_often_promises_nothing_and_says_so(function: Function) -> None:
    wrong = [{**row, "label": LABELS[n % 3]} for n, row in enumerate(rows(280, 3))]
    with pytest.raises(DataError, match="cannot be promised on 210 untouched rows: even of the surest answers"):
        functory.build(
            task="text-classification", train=rows(150, 1), untouched=wrong, backbone="tiny-encoder", adaptation=HEAD,
            abstain_at=0.15,
        )  # fmt: skip


def test_a_thousand_rows_and_more_leave_some_untouched_and_fewer_are_all_learned_from(function: Function) -> None:
    part: dict[str, Any] = {"task": "text-classification", "backbone": "tiny-encoder", "adaptation": HEAD, "report": False}
    many, fewer = (functory.build(**part, train=rows(count, 1)) for count in (1000, 900))
    assert many.about.data["untouched"]["examples"] == pytest.approx(50, abs=1)
    assert "untouched" not in fewer.about.data
    assert fewer.state.temperature == 1
