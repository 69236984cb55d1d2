"""Hooks take options from recipe, call and command line, and what they write outlives the build."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import Field

import functory
from functory.cli import main
from functory.errors import OptionError, RecipeError
from functory.recipe import Recipe, set_option
from functory.steps import Steps
from functory_sdk import Event, Hook, Options, Run, hookimpl
from functory_sdk.testing import kit, registered
from functory_sdk.testing.toy import rows


class DiaryOptions(Options):
    """Options of the diary."""

    pages: int = Field(1, ge=1, description="How many pages it has.")


class Diary(Hook[DiaryOptions]):
    """Writes down what happens."""

    seen: ClassVar[list[int]] = []

    @hookimpl
    def progress(self, run: Run, event: Event) -> None:
        self.seen.append(self.options.pages)
        run.logs.mkdir(parents=True, exist_ok=True)
        (run.logs / event.kind).touch()


class Plain:
    """A hook plugin as it was before there were options."""

    @hookimpl
    def progress(self, event: Event) -> None:
        """Look at it."""


@pytest.fixture(autouse=True)
def diary() -> Iterator[None]:
    Diary.seen.clear()
    with kit(), registered("hooks", "diary", Diary), registered("hooks", "plain", Plain):
        yield


def test_what_a_hook_writes_outlives_the_build_which_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUNCTORY_LOGS", str(tmp_path / "runs"))
    told: list[str] = []
    parts = {"task": "toy", "backbone": "tiny-encoder", "adaptation": "toy-head", "report": False}
    functory.build(
        **parts, train=rows(24), hooks=[{"name": "diary", "pages": 7}, "plain"], name="a/b", tell=told.append
    )
    [folder] = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("a-b-")
    assert {"start", "done"} <= {file.name for file in folder.iterdir()}
    assert f"what hooks wrote about this run is in {folder}" in told
    assert set(Diary.seen) == {7}
    told.clear()
    functory.build(**parts, train=rows(24), tell=told.append)
    assert [*(tmp_path / "runs").iterdir()] == [folder], "nobody wrote, and nothing was made"
    assert not [note for note in told if "hooks" in note]


@pytest.mark.parametrize(
    ("hooks", "message"),
    [
        ([{"name": "diary", "page": 7}], r"(?s)hook 'diary' has no option 'page'.*did you mean 'pages'"),
        ([{"name": "diary", "pages": 0}], r"pages = 0 is not allowed"),
        ([{"name": "plain", "pages": 7}], r"(?s)'plain' has no options; given: pages"),
    ],
)
def test_a_wrong_option_of_a_hook_is_told_before_anything_runs(hooks: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        functory.build(task="toy", train=rows(24), backbone="tiny-encoder", hooks=hooks)


@pytest.mark.parametrize(
    "text",
    [
        'hooks = ["plain", {name = "diary", pages = 3}]\n',
        '[[hooks]]\nname = "plain"\n[[hooks]]\nname = "diary"\npages = 3\n',
    ],
)
def test_a_recipe_file_gives_hooks_their_options(text: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(f'task = "toy"\n{text}')
    recipe = Recipe.make(tmp_path / "recipe.toml")
    assert recipe.as_json()["hooks"] == ["plain", "diary"]
    Steps(recipe.hooks).progress(run=Run(tmp_path, tmp_path, 0, logs=tmp_path / "logs"), event=Event("note"))
    assert Diary.seen == [3]


def test_the_line_of_a_wrong_option_is_named(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text('task = "toy"\n\nhooks = [{name = "diary", page = 3}]\n')
    with pytest.raises(OptionError, match=r"(?s)no option 'page'.*recipe\.toml, line 3"):
        functory.build(tmp_path / "recipe.toml")


def test_a_table_without_a_name_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"hook's options must have its name"):
        Recipe.make(task="toy", hooks=[{"pages": 3}])


@pytest.mark.parametrize(
    ("hooks", "expected"),
    [
        (["plain", "diary"], ["plain", {"name": "diary", "pages": 3}]),
        ([{"name": "diary", "pages": 1}], [{"name": "diary", "pages": 3}]),
        (["plain"], ["plain", {"name": "diary", "pages": 3}]),
        (None, [{"name": "diary", "pages": 3}]),
    ],
)
def test_the_command_line_sets_an_option_of_a_hook(hooks: Any, expected: list[Any]) -> None:
    fields: dict[str, Any] = {} if hooks is None else {"hooks": hooks}
    set_option(fields, "hooks.diary.pages=3")
    assert Recipe.make(task="toy", **fields).hooks == Recipe.make(task="toy", hooks=expected).hooks
    with pytest.raises(OptionError, match="names no option of a hook"):
        set_option(fields, "hooks.diary=3")


def test_a_hook_of_the_configuration_that_a_recipe_names_takes_part_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text('hooks = ["diary"]\n')
    monkeypatch.setenv("FUNCTORY_CONFIG", str(tmp_path / "config.toml"))
    run = Run(tmp_path, tmp_path, 0, logs=tmp_path / "logs")
    Steps([{"name": "diary", "pages": 5}]).progress(run=run, event=Event("note"))
    assert Diary.seen == [5]


def test_info_shows_the_options_of_a_hook(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "tensorboard"]) == 0
    assert "folder" in capsys.readouterr().out
