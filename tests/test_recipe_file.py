"""A component in one file: used from a recipe, saved, and loaded only by whoever names the file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import functory
from functory import errors
from functory_sdk.testing import Project

RECIPE = Path(__file__).resolve().parent.parent / "examples" / "recipes" / "freshness" / "recipe.toml"
FILE = f"{RECIPE.with_name('freshness.py')}:GradeTask"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("file")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # the recipe's folder counts, not this one
        function = functory.build(RECIPE, limit=500)
    assert function("A small movie with a big impact.").grade > function("Dull, and far too long.").grade
    assert function.report.metrics["skill"].value > 0.15
    return function.save(folder / "freshness")


def load_elsewhere(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"import functory\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_manifest_names_no_place_on_the_makers_machine(saved: Path) -> None:
    text = (saved / "function.json").read_text(encoding="utf-8")
    assert str(RECIPE.parent) not in text
    assert json.loads(text)["recipe"]["task"]["name"] == "freshness.py:GradeTask"


def test_another_process_loads_it_only_with_the_file_named(saved: Path) -> None:
    refused = load_elsewhere(f"functory.load({str(saved)!r})")
    assert refused.returncode
    assert "components='./file.py:GradeTask'" in refused.stderr
    loaded = load_elsewhere(f"print(functory.load({str(saved)!r}, components={FILE!r})('a masterpiece').grade > 0.5)")
    assert loaded.stdout == "True\n", loaded.stderr


def test_it_does_not_package(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.NotSupported, match=r"(?s)GradeTask comes from a file.*plugin"):
        functory.load(saved, components=FILE).package("freshness", tmp_path)


def test_a_file_that_is_not_there_is_named_with_where_it_was_looked_for(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('task = "./gone.py:GradeTask"\ntrain = "samples:rotten-tomatoes"\n')
    with pytest.raises(errors.UsageError, match=r"(?s)gone\.py:GradeTask.*cannot be read"):
        functory.build(recipe)


def test_a_wrong_option_and_a_wrong_name_are_told_with_their_line_in_the_recipe(project: Project) -> None:
    lines = ['task = "toy"', 'train = "train.jsonl"', 'backbone = "tiny-encoder"', "[adaptation]", 'name = "full"', "epoch = 3"]
    project.write("train.jsonl", project.rows(8))
    recipe = project.write("recipe.toml", "\n".join(lines))
    with pytest.raises(errors.OptionError, match=r"(?s)no option 'epoch'.*recipe\.toml, line 6.*did you mean 'epochs'"):
        functory.build(recipe)
    project.write("recipe.toml", "\n".join([*lines[:4], 'name = "fulll"']))
    with pytest.raises(errors.UnknownComponent, match=r"(?s)named 'fulll'.*recipe\.toml, line 5.*did you mean 'full'"):
        functory.build(recipe)


def test_a_function_without_a_name_is_called_as_its_output_folder(project: Project) -> None:
    project.write("train.jsonl", project.rows(64))
    build = ["build", "--task", "toy", "--train", "train.jsonl", "--backbone", "tiny-encoder", "--adaptation", "toy-head"]
    for more, name in ((["--output", "out/spam"], "spam"), (["--output", "out/other", "--name", "ham"], "ham"), ([], "toy")):
        code, _, err = project.run(*build, *more)
        assert code == 0, err
        folder = Path(more[1]) if more else Path("toy")
        assert json.loads((folder / "function.json").read_text(encoding="utf-8"))["name"] == name
