"""What the system refuses is told as what it is, with the path and what to do, and never as somebody's bug."""

from __future__ import annotations

import errno
import json
import os
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import functory.data
from functory.cli import main
from functory.errors import FunctoryError, OptionError, StorageError
from functory.machine import configuration
from functory.machine.storage import MISPLACED, REFUSALS, misplaced, refusal, refusals_told
from functory.plugins import registry as plugins
from functory.recipe import read_toml

failing = pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="nothing fails to be read here")
VERB = """
from functory.contracts.command import Command

class Verb(Command):
    help = "do as the test says"
    example = "functory verb"

    def add_arguments(self, parser):
        pass

    def run(self, args):
        {body}

COMMAND = Verb()
"""


def verb(site: Any, body: str) -> None:
    """Install a verb with this body."""
    site.add("functory-verb", {"commands": {"verb": "COMMAND"}}, VERB.format(body=body))
    plugins.refresh()


@pytest.mark.parametrize("number", sorted(REFUSALS), ids=errno.errorcode.get)
def test_every_refusal_says_what_it_is_where_and_what_to_do(
    number: int, site: Any, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb(site, f"raise OSError({number}, 'the system', '/some/where')")
    assert main(["verb", "--json"]) == 1
    said = capsys.readouterr()
    meaning, remedy = REFUSALS[number]
    told = json.loads(said.out)
    assert told["error"] == "StorageError"
    assert told["what"].lower().startswith(meaning.lower())
    assert told["where"] == "/some/where"
    assert told["do"].startswith(remedy)
    assert meaning[1:] in said.err
    assert "bug" not in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (Exception("Error while serializing: I/O error: No space left on device (os error 28)"), errno.ENOSPC),
        (OSError("100000 requested and 8192 written"), errno.ENOSPC),
        (OSError(f"cannot write: {os.strerror(errno.EROFS)}"), errno.EROFS),
        (OSError(errno.EINVAL, "Invalid argument", "a\nb"), errno.EINVAL),
    ],
)
def test_what_libraries_say_of_a_refusal_in_their_own_words_is_known(error: Exception, number: int) -> None:
    found = refusal(error, "weights.safetensors")
    assert found is not None
    assert found.errno == number
    assert found.where


@pytest.mark.parametrize(
    "error",
    [ValueError("no"), OSError("no"), ConnectionResetError(104, "reset"), TimeoutError(110, "late"),
     urllib.error.URLError("unknown host"), OSError(errno.EINVAL, "Invalid argument"), KeyError("No space left on device")],
    ids=repr,
)  # fmt: skip
def test_what_is_no_refusal_about_files_is_left_as_it_is(error: Exception) -> None:
    assert refusal(error) is None


def test_a_refusal_leaves_a_public_function_as_an_error_of_the_tree_with_its_cause(tmp_path: Path) -> None:
    @refusals_told
    def read(path: Path) -> bytes:
        return path.read_bytes()

    with pytest.raises(StorageError, match="no such file") as caught:
        read(tmp_path / "none")
    assert caught.value.where == str(tmp_path / "none")
    assert isinstance(caught.value.__cause__, FileNotFoundError)

    @refusals_told
    def asks() -> None:
        raise OptionError("No space left on device (os error 28)")

    with pytest.raises(OptionError):
        asks()


def test_a_wrong_place_is_the_calls_fault_and_a_full_disk_is_not() -> None:
    for number in REFUSALS:
        found = misplaced(OSError(number, os.strerror(number)), Path("out"))
        assert found.exit_code == (2 if number in MISPLACED else 1), errno.errorcode[number]
        assert found.what.startswith("out cannot be written: ")


def test_a_wrong_name_is_told_for_each_verb_that_reads_or_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long, circle, file = "x" * 300, tmp_path / "circle", tmp_path / "file"
    circle.symlink_to(circle)
    file.write_text("x")
    for place in (long, str(circle), str(file / "below"), "/proc/1/mem/x"):
        for arguments in (["info", place], ["verify", place], ["run", place, "text"], ["list", place], ["package", place]):
            assert main(arguments) in (1, 2), arguments
            said = capsys.readouterr().err
            assert "do:" in said, (arguments, said)
            assert "bug" not in said, (arguments, said)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("x" * 300, "the name is too long"),
        ("circle", "its links lead in a circle"),
        ("file/below", "a part of the path is a file, and no folder"),
        pytest.param("failing", "the device failed", marks=failing),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place_by_all_that_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "failing").symlink_to("/proc/self/mem")
    (tmp_path / "file").write_text("x")
    reads: list[Callable[[], object]] = [
        lambda: list(functory.data.read(name)),
        lambda: list(functory.data.read([name, name])),
        lambda: read_toml(Path(name)),
        lambda: plugins.load_file(f"./{name}:Task", "tasks"),
    ]
    for read in reads:
        with pytest.raises(FunctoryError, match=why) as caught:
            read()
        assert caught.value.do
    monkeypatch.setenv("FUNCTORY_CONFIG", name)
    with pytest.raises(FunctoryError, match=f"the configuration cannot be read: {why}"):
        configuration.hooks()


def test_an_import_for_which_the_machine_has_no_means_is_no_fault_of_the_plugin(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    site.add("functory-verb", {"commands": {"verb": "COMMAND"}}, f"raise OSError({errno.EMFILE}, 'Too many open files')")
    plugins.refresh()
    assert main(["verb"]) == 1
    err = capsys.readouterr().err
    assert "StorageError: functory-verb 1.0 (command 'verb') cannot be imported: this process has too many open files." in err
    site.add("functory-own", {"commands": {"own": "COMMAND"}}, "open('/none/such')")
    plugins.refresh()
    assert main(["own"]) == 1
    assert "PluginImportError" in capsys.readouterr().err


class Strange(OSError):
    """An error whose class lies about what the system said, and whose message raises."""

    @property
    def errno(self) -> Any:  # type: ignore[override]
        raise ValueError("no number")

    @property
    def filename(self) -> Any:  # type: ignore[override]
        raise ValueError("no name")

    def __str__(self) -> str:
        raise ValueError("no message")


@pytest.mark.parametrize(
    "error",
    [Strange("a"), OSError("a", "b", "c"), OSError(-2, "b", "c"), OSError(10**30, "b", "c"), Exception("(os error 99999999999)"),
     Exception("(os error 0)")],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_an_error_that_is_made_up_is_no_refusal_and_harms_nobody(error: Exception) -> None:
    assert refusal(error) is None
    assert refusal(Strange(errno.ENOSPC, "full", "here")).where == "here"  # type: ignore[union-attr]
