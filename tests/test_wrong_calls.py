"""What a caller in Python sees of a wrong call: one short message, and no second traceback above it."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import functory
from functory import errors
from functory.artefact.sealing import write_digest
from functory.machine.folders import sha256
from functory_sdk.testing.toybox import kit, toy_function


@pytest.fixture(scope="module")
def toy(cache: Path) -> Iterator[functory.Function]:
    with kit():
        yield toy_function()


@pytest.fixture(scope="module")
def saved(toy: functory.Function, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.save(tmp_path_factory.mktemp("functions") / "toy")


def told(error: BaseException) -> str:
    """Return what Python prints for an exception that nobody catches, apart from the frames."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(line for line in lines if not line.startswith("    ") and not line.startswith("  File"))


CALLS: dict[str, tuple[Callable[[functory.Function], object], type[errors.FunctoryError], str]] = {
    "a field of another type": (lambda fn: fn(3), errors.InputError, "text: input should be a valid string (got 3)"),
    "no field": (lambda fn: fn(), errors.InputError, "text: field required"),
    "an unknown field": (lambda fn: fn("a", txt="b"), errors.InputError, "txt: extra inputs are not permitted"),
    "a field twice": (lambda fn: fn("a", text="b"), errors.InputError, "text was given twice"),
    "a wrong item": (lambda fn: list(fn.map(["a", {"text": 3}])), errors.InputError, "where: input 2"),
    "a wrong session": (lambda fn: fn.opened(threads=-1), errors.OptionError, "threads = -1 is not allowed"),
    "an unknown session option": (lambda fn: fn.opened(treads=1), errors.OptionError, "did you mean 'threads'?"),
    "a wrong option": (lambda fn: fn.explain("a", width=0), errors.OptionError, "width = 0 is not allowed"),
    "a wrong row": (lambda fn: fn.evaluate([{"text": "a", "label": ["x"]}]), errors.DataError, "'label' is ['x']"),
    "a text that is none": (lambda fn: fn("good \ud800"), errors.InputError, "text: it holds half of a surrogate pair"),
    "a file that is not there": (lambda fn: fn.evaluate("no.csv"), errors.DataError, "there is no file no.csv"),
    "a recipe that is not there": (lambda fn: functory.build("no.toml"), errors.RecipeError, "the recipe cannot be read"),
    "a component's file that is not there": (
        lambda fn: functory.build(task="./no.py:Task"), errors.UsageError, "names a file that cannot be read",
    ),
    "a wrong recipe": (lambda fn: functory.build(task="toy", seed="x"), errors.RecipeError, "seed = 'x' is not allowed"),
    "a wrong session in a recipe": (
        lambda fn: functory.build(task="toy", backbone="tiny-encoder", session={"threads": -1}), errors.OptionError,
        "threads = -1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_shows_one_short_message(toy: functory.Function, name: str) -> None:
    call, kind, message = CALLS[name]
    with pytest.raises(kind) as caught:
        call(toy)
    shown = told(caught.value)
    assert message in shown
    assert "pydantic" not in shown
    assert shown.count("Traceback") == 1
    assert len(shown.splitlines()) <= 4  # Traceback, what, where, do


def test_loading_with_a_wrong_option_shows_one_short_message(saved: Path) -> None:
    with pytest.raises(errors.OptionError, match=r"threads = -2 is not allowed") as caught:
        functory.load(saved, threads=-2)
    assert told(caught.value).count("Traceback") == 1


def changed(saved: Path, folder: Path, **fields: object) -> Path:
    """Return a copy of a function with other fields in its manifest."""
    import shutil

    shutil.copytree(saved, folder)
    manifest = json.loads((folder / "function.json").read_text())
    (folder / "function.json").write_text(json.dumps({**manifest, **fields}))
    write_digest(folder)
    return folder


def test_a_state_that_the_installed_task_does_not_know_is_no_bug_of_ours(saved: Path, tmp_path: Path) -> None:
    folder = changed(saved, tmp_path / "other", state={"labels": ["no", "yes"], "mood": "good"})
    with pytest.raises(errors.ArtefactCorrupt, match=r"function\.json cannot be read: mood: extra inputs"):
        functory.load(folder)


def test_golden_inputs_that_the_installed_task_does_not_take_are_no_bug_of_ours(saved: Path, tmp_path: Path) -> None:
    folder = changed(saved, tmp_path / "other")
    lines = [json.loads(line) for line in (folder / "golden.jsonl").read_text().splitlines()]
    for line in lines:
        line["input"] = {"words": "a"}
    (folder / "golden.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    manifest = json.loads((folder / "function.json").read_text())
    manifest["members"]["golden.jsonl"] = {
        "sha256": sha256(folder / "golden.jsonl"), "size": (folder / "golden.jsonl").stat().st_size,
    }  # fmt: skip
    (folder / "function.json").write_text(json.dumps(manifest))
    write_digest(folder)
    with pytest.raises(errors.ArtefactError, match=r"golden inputs of 'toy' are none for the installed task"):
        functory.load(folder)
