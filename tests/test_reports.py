"""What an evaluation tells besides figures: which answers were wrong; and where the report is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.artefact.assembling import read_report
from functory.artefact.card import _table
from functory.cli import main

pytest.importorskip("torch", reason="pip install functory-torch")

from functory_sdk.testing.toy import rows
from functory_sdk.testing.toybox import kit, toy_function


@pytest.fixture(scope="module")
def toy() -> Iterator[Any]:
    """A toy function that answers nearly everything rightly."""
    with kit():
        yield toy_function()


@pytest.fixture
def flipped(toy: Any, tmp_path: Path) -> Path:
    """A table of 24 rows, seven with another label than the function gives."""
    data = [{"text": row["text"], "label": toy(row["text"]).label} for row in rows(24, seed=5)]
    for row in data[::3][:7]:
        row["label"] = "yes" if row["label"] == "no" else "no"
    file = tmp_path / "flipped.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in data))
    return file


def test_the_wrong_answers_are_listed_the_surest_first_with_their_lines(toy: Any, flipped: Path) -> None:
    report = toy.evaluate(flipped, mistakes=5)
    assert report.wrong == 7
    assert report.metrics["accuracy"].value == pytest.approx(17 / 24)
    found = report.mistakes
    assert len(found) == 5
    assert [one.confidence for one in found] == sorted((one.confidence for one in found), reverse=True)
    lines = flipped.read_text().splitlines()
    for one in found:
        row = json.loads(lines[int(one.place.rpartition(" ")[2]) - 1])
        assert (one.text, one.wanted, one.given) == (row["text"], row["label"], toy(row["text"]).label)
        assert one.confidence == pytest.approx(toy(row["text"]).scores[one.given], abs=1e-4)
    assert toy.evaluate(flipped, mistakes=0).mistakes == ()
    assert len(toy.evaluate(flipped).mistakes) == 7


def test_evaluate_lists_as_many_mistakes_as_are_asked_for(
    toy: Any, flipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(toy.save(tmp_path / "toy"))
    shown = {}
    for asked in ([], ["--mistakes", "7"], ["--mistakes", "0"]):
        assert main(["evaluate", folder, "--data", str(flipped), *asked]) == 0
        shown[" ".join(asked)] = capsys.readouterr().out
    assert "7 of 24 answers are wrong; the 5 surest of them:" in shown[""]
    assert "7 of 24 answers are wrong:" in shown["--mistakes 7"]
    assert "answers are wrong" not in shown["--mistakes 0"]
    assert main(["evaluate", folder, "--data", str(flipped), "--json", "--mistakes", "3"]) == 0
    assert len(json.loads(capsys.readouterr().out)["mistakes"]) == 3
    assert main(["evaluate", folder, "--data", str(flipped), "--mistakes", "-1"]) == 2
    assert "'-1' is no whole number from 0 to 1,000" in capsys.readouterr().err


def test_the_report_survives_save_and_is_a_hashed_member_without_the_datas_texts(
    toy: Any, flipped: Path, tmp_path: Path
) -> None:
    function = toy.replaced()
    function.report = function.evaluate(flipped)
    again = functory.load(function.save(tmp_path / "toy"))
    assert again.report == function.report.keeping(0)
    assert again.report.form == "torch fp32"
    assert again.save(tmp_path / "again").joinpath("report.json").read_bytes() == (tmp_path / "toy/report.json").read_bytes()
    texts = {json.loads(line)["text"] for line in flipped.read_text().splitlines()}
    kept = "".join(file.read_text() for file in (tmp_path / "toy").iterdir() if file.suffix != ".safetensors")
    assert not [text for text in texts if text in kept]
    card = (tmp_path / "toy" / "README.md").read_text()
    assert "toy on flipped.jsonl: 24 examples" in card
    assert "| accuracy | 0.708 |" in card
    assert "7 of 24 answers were wrong." in card

    asked = functory.load(function.save(tmp_path / "asked", mistakes=True))
    assert asked.report == function.report
    (tmp_path / "asked" / "report.json").write_text("{}")
    with pytest.raises(functory.errors.ArtefactCorrupt, match=r"report\.json has 2 bytes"):
        functory.load(tmp_path / "asked")


def test_a_report_that_is_none_is_refused_by_name(toy: Any, tmp_path: Path) -> None:
    folder = toy.save(tmp_path / "toy")
    (folder / "report.json").write_text('{"function": 3}')
    with pytest.raises(functory.errors.ArtefactCorrupt, match=r"report\.json is no report: function: .*string"):
        read_report(folder)


def test_a_function_that_was_not_measured_has_no_report(toy: Any, tmp_path: Path) -> None:
    function = toy.replaced(report=None)
    folder = function.save(tmp_path / "toy")
    assert not (folder / "report.json").exists()
    assert functory.load(folder).report is None


def test_a_class_whose_name_ends_a_cell_stays_in_its_cell_on_the_card() -> None:
    assert _table(["a|b"], [["c\n| d |"]]) == ["| a\\|b |", "| --- |", "| c \\| d \\| |"]
