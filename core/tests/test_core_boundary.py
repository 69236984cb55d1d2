"""Whatever reading an artefact raises is told with member, place and remedy; what the bytes did not cause is not hidden."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from functory import errors
from functory.contracts.rows import WIDEST, Port, Program
from functory.machine.boundary import reading
from functory.machine.folders import files_of
from functory.machine.members import parsed, read_bytes, read_json, read_text
from functory.wording.harmless import harmless


class PanicException(BaseException):
    """What a library in Rust raises."""


class Unspeakable(Exception):
    """An error whose message cannot be made."""

    def __str__(self) -> str:
        raise ValueError("no")


BY = "engine 'x' (functory-x 0.1.0)"


def met(error: BaseException) -> BaseException:
    """Return what leaves when a block raises an error."""
    try:
        with reading("golden.jsonl", "/there", by=BY):
            raise error
    except BaseException as left:
        return left


def raised(work: Callable[[], object]) -> Exception:
    """Return what some work raises."""
    try:
        work()
    except Exception as error:
        return error
    raise AssertionError("it raised nothing")


@pytest.mark.parametrize(
    "cause",
    [
        KeyError("labels"), ValueError("no"), RecursionError("deep"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
        "\ud800".encode, RuntimeError("Exception from src/core.cpp:84:\n  it failed"), IsADirectoryError(21, "Is a directory"),
        PanicException("index out of bounds"), Unspeakable(), NotImplementedError(), OSError("odd"),
        errors.InputError("a row has no 'x'."), errors.OptionError("rank = -1 is not allowed."),
        lambda: TypeAdapter(list[int]).validate_python(["\x1b[31m"]),
    ],
    ids=lambda cause: type(cause).__name__,
)  # fmt: skip
def test_what_the_bytes_cause_is_told_as_corrupt_with_its_cause(cause: BaseException | Callable[[], object]) -> None:
    if not isinstance(cause, BaseException):
        cause = raised(cause)
    told = met(cause)
    assert isinstance(told, errors.ArtefactCorrupt)
    assert told.__cause__ is cause
    assert told.what.startswith(f"golden.jsonl cannot be read by {BY}: ")
    assert "\n" not in told.what
    assert told.where == "/there"
    assert "fresh copy" in told.do
    assert BY in told.do


NO_FAULT_OF_BYTES = (
    KeyboardInterrupt(), SystemExit(1), MemoryError(), ModuleNotFoundError("x"), NameError("x"), BrokenPipeError(),
    errors.NotSupported("no such device."), errors.UnknownComponent("tasks", "x", []), errors.GoldenMismatch("differs."),
)  # fmt: skip


@pytest.mark.parametrize("error", NO_FAULT_OF_BYTES, ids=lambda error: type(error).__name__)
def test_what_no_bytes_cause_passes_as_it_is(error: BaseException) -> None:
    assert met(error) is error


def test_what_the_system_refuses_is_told_as_that() -> None:
    told = met(PermissionError(13, "Permission denied", "/there/golden.jsonl"))
    assert isinstance(told, errors.StorageError)
    assert told.what == f"golden.jsonl cannot be read by {BY}: access is denied."


def test_a_foreign_message_is_one_short_line_of_what_can_be_shown() -> None:
    told = met(ValueError("\x1b[31mred\x9b2J \u202eback \ud800" + "x" * 1000)).what  # type: ignore[attr-defined]
    assert told == harmless(told)
    assert "\ufffd[31mred\ufffd2J \ufffdback \ufffdxxx" in told
    assert len(told) < 500


def test_json_is_read_in_one_way_or_not_at_all() -> None:
    assert parsed('{"a": [1.5, "\\ud83d\\ude00"]}') == {"a": [1.5, "😀"]}
    deep = "[" * 200_000
    for text in ("{", '{"a": 1, "a": 2}', "[NaN]", "[-Infinity]", "[1e999]", '["\\ud800"]', '{"\\udfff": 1}', deep,
                 "1" * 10_000, "\ufeff{}", ""):  # fmt: skip
        with pytest.raises((ValueError, RecursionError, errors.ArtefactCorrupt)):
            parsed(text)


def test_a_pipe_a_device_a_link_and_a_file_that_never_ends_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/hostname")
    for file in (tmp_path / "pipe", tmp_path / "link", Path("/dev/zero")):
        with pytest.raises(errors.ArtefactUnsafe, match=r"is a link or a special file"):
            read_bytes(file)
    with pytest.raises(IsADirectoryError):
        read_bytes(tmp_path)
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 40)
    for read in (read_bytes, read_text, read_json):
        with pytest.raises(errors.ArtefactCorrupt, match=r"it has 1,099,511,627,776 bytes; [\d,]+ are the most that make sense"):
            read(tmp_path / "huge")


def test_a_folder_that_cannot_be_looked_into_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "engines" / "closed").mkdir(parents=True)
    look = os.scandir

    def refuse(place: Path) -> object:
        if "closed" in str(place):
            raise PermissionError(13, "Permission denied", str(place))
        return look(place)

    assert files_of(tmp_path) == {}
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(errors.StorageError, match=r"engines/closed/ cannot be read: access is denied\.") as told:
        files_of(tmp_path)
    assert told.value.where == str(tmp_path / "engines" / "closed")


def test_a_name_that_would_steer_a_terminal_is_told_without_harm(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[2J").symlink_to("/etc/hostname")
    with pytest.raises(errors.ArtefactUnsafe, match="^a\ufffd\\[2J is a link"):
        files_of(tmp_path)


GOOD = Program("forward", (Port("ids", "int64", ("tokens",)),), (Port("scores", "float32", ("tokens", 3)),))


def test_a_program_is_read_as_it_was_described_and_no_other() -> None:
    data = GOOD.as_json()
    assert Program.from_json(data) == GOOD
    port = data["inputs"][0]
    wrong = [{"dtype": "object"}, {"dtype": ["int64"]}, {"axes": "tokens"}, {"axes": [-1]}, {"axes": [WIDEST, 2]},
             {"axes": [1.5]}, {"axes": [True]}, {"axes": [""]}, {"name": 3}, {"fill": "0"}, {"fill": None}]  # fmt: skip
    forged = [{**data, "inputs": [{**port, **change}]} for change in wrong]
    forged += [{**data, key: value} for key in data for value in (None, 7, {}, [port, port], "other", [None])
               if (key, value) != ("precision", "other")]  # fmt: skip
    forged += [{key: value for key, value in data.items() if key != gone} for gone in data]
    assert len(forged) > 30
    for one in forged:
        with pytest.raises(errors.ArtefactCorrupt, match=r"^(no|port|it does not say)"):
            Program.from_json(one)
