"""What an evaluation tells besides figures: which answers were wrong; and where the report is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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
