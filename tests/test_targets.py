"""Every verb looks at the place that it is to write before its work, and what was trained is kept whatever happens after."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import functory
from functory.artefact import keeping
from functory.cli import main
from functory.errors import ArtefactError, FunctoryError, GoldenMismatch, StorageError, UsageError
from functory.function import Function
from functory.machine import rescuing
from functory_sdk.testing import kit
from functory_sdk.testing.toy import rows

TRAIN = ["--task", "toy", "--backbone", "tiny-encoder", "--adaptation", "toy-head", "--train", "toy.jsonl"]


@pytest.fixture(scope="module")
def toy() -> Iterator[Function]:
    """A function that was just built."""
    with kit():
        yield functory.build(task="toy", train=rows(48), backbone="tiny-encoder", adaptation="toy-head", name="toy", seed=1)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a file, another folder, and data of its own for what is kept."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    (work / "notes").mkdir(parents=True)
    (work / "notes" / "mine.txt").write_text("mine")
    (work / "file").write_text("x")
    (work / "circle").symlink_to("circle")
    (work / "toy.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(48)))
    monkeypatch.chdir(work)
    return work


@pytest.mark.parametrize("output", ["file", "notes", ".", "..", "file/below", "circle", "x" * 300, ""])
@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "--task", "toy", "--backbone", "none-such", "--train", "none.csv", "--output"],
        ["optimize", "none-such", "--data", "none.csv", "--output"],
    ],
    ids=["build", "optimize"],
)
def test_where_no_function_can_be_saved_is_said_before_anything_else(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], output: str
) -> None:
    before = sorted(place.rglob("*"))
    code = main([*arguments, output])
    said = capsys.readouterr().err
    assert "none" not in said, "something was done before"
    assert code == (1 if output == "notes" else 2)
    assert ("holds something that is no function" if output == "notes" else "cannot be written: ") in said
    assert "do:" in said
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "none-such", "a text", "--output", "{}.csv"],
        ["run", "none-such", "a text", "--output", "file/below.csv"],
        ["run", "none-such", "a text", "--output", "answers"],
        ["run", "none-such", "a text", "--output", "answers.csv/"],
        ["evaluate", "none-such", "--data", "none.csv", "--html", "notes"],
        ["evaluate", "none-such", "--data", "none.csv", "--html", "notes/"],
        ["evaluate", "none-such", "--data", "none.csv", "--html", "/dev/null"],
        ["explain", "none-such", "a text", "--html", "file/below.html"],
        ["package", "none-such", "--output", "file"],
        ["package", "none-such", "--output", "file/below"],
        ["new", "plugin", "--kind", "tasks", "--name", "mine", "--output", "file"],
        ["build", "--task", "toy", "--train", "none.csv", "--run", "file"],
    ],
    ids=" ".join,
)
def test_every_other_verb_says_so_before_anything_else_too(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    before = sorted(place.rglob("*"))
    assert main([one.replace("{}", "x" * 300) for one in arguments]) == 2
    said = capsys.readouterr().err
    assert "none-such" not in said
    assert "none.csv" not in said
    assert "do:" in said
    assert sorted(place.rglob("*")) == before


def test_python_says_so_before_anything_else_and_a_function_stays_in_hand(place: Path, toy: Function) -> None:
    with pytest.raises(ArtefactError, match="holds something that is no function"):
        functory.build(task="toy", train="none.csv", backbone="none-such", output="notes")
    with pytest.raises(UsageError, match="is a file"):
        functory.build(task="toy", train="none.csv", backbone="none-such", run="file")
    for output in ("notes", "file", ".", "..", "file/below"):
        with pytest.raises(FunctoryError):
            toy.save(output)
    assert (place / "notes" / "mine.txt").read_text() == "mine"
    assert functory.load(toy.save("toy"))("good").label == toy("good").label


def test_a_link_to_a_function_stays_and_the_function_behind_it_is_replaced(
    place: Path, capsys: pytest.CaptureFixture[str], toy: Function
) -> None:
    (place / "latest").symlink_to("v1")
    with kit():
        assert main(["build", *TRAIN, "--output", "latest"]) == 0
        assert f"saved to latest (a link to {place / 'v1'})" in capsys.readouterr().out
        assert toy.save("latest") == Path("latest")
        assert (place / "latest").is_symlink()
        assert functory.load(place / "v1")("good") == functory.load("latest")("good")
    assert sorted(path.name for path in place.iterdir()) == ["circle", "file", "latest", "notes", "toy.jsonl", "v1"]


FAILURES = [
    StorageError("the disk went full.", do="free some space."),
    GoldenMismatch("golden example 1 comes out differently."),
    OSError(5, "Input/output error", "somewhere"),
    RuntimeError("nobody thought of this"),
    KeyboardInterrupt(),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: type(one).__name__)
def test_what_was_trained_is_kept_where_its_saving_fails_and_the_place_is_named(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    def failing(function: Function, folder: Path) -> Path:
        raise failure

    monkeypatch.setattr(keeping, "save", failing)
    with kit():
        assert main(["build", *TRAIN, "--output", "out"]) == (130 if isinstance(failure, KeyboardInterrupt) else 1)
        said = capsys.readouterr().err
        found = re.search(r"The function is kept in (\S+): move it", said)
        assert found, said
        assert "last checkpoint" not in said
        assert Path(found[1]).is_relative_to(place.parent / "home")
        functory.verify(found[1])
        assert functory.load(found[1])("good").label == "yes"
    assert not (place / "out").exists()


def test_where_one_place_takes_nothing_the_next_one_does(
    place: Path, monkeypatch: pytest.MonkeyPatch, toy: Function
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(place / "file"))
    monkeypatch.setattr(rescuing.tempfile, "gettempdir", lambda: str(place / "tmp"))
    told = {keeping.keep(toy) for _ in range(3)}
    assert len(told) == 3, "one was kept in the place of another"
    assert all(f"is kept in {place / 'tmp' / 'functory' / 'kept' / 'toy-'}" in one for one in told)
    monkeypatch.setattr(rescuing.tempfile, "gettempdir", lambda: str(place / "file"))
    assert keeping.keep(toy) == "The function could not be kept in any other place."


def test_answers_that_find_no_room_in_the_end_are_kept_and_a_report_is_told_before_its_page(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, toy: Function
) -> None:
    toy.save("toy")

    def full(made: Path, path: Path) -> Path:
        if path.parent == place:
            raise OSError(28, "No space left on device", str(path))
        return made.rename(path)

    monkeypatch.setattr(Path, "replace", full)
    with kit():
        assert main(["run", "toy", "--input", "toy.jsonl", "--output", "out.csv"]) == 1
        said = capsys.readouterr().err
        assert "StorageError: out.csv cannot be written: no room is left on the disk." in said
        assert "48 rows are answered and kept: the same command goes on from there." in said
        monkeypatch.setattr(sys, "stdin", io.StringIO("good\nbad\n"))
        assert main(["run", "toy", "--output", "out.csv"]) == 1  # what cannot be read again is put elsewhere
        found = re.search(r"The file is kept in (\S+out-\S+\.csv): move it", capsys.readouterr().err)
        assert found
        assert len(Path(found[1]).read_text().splitlines()) == 3
        assert main(["evaluate", "toy", "--data", "toy.jsonl", "--html", "page.html"]) == 1
        assert "accuracy" in capsys.readouterr().out
    assert not {"out.csv", "page.html"} & {path.name for path in place.iterdir()}
