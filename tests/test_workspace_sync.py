from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

PLUGIN = """\
[build-system]
requires = ["hatchling>=1.26"]
build-backend = "hatchling.build"

[project]
name = "functory-{name}"
version = "0.1.0"
description = "The {name} of a small tree."
dependencies = ["functory-sdk>=0.1,<0.2", "numpy>=1.26"]

[project.optional-dependencies]
metrics = ["jiwer"]

[project.entry-points."functory.contract"]
1 = "functory_sdk:CONTRACT"

[project.entry-points."functory.{kind}"]
{name} = "functory_{name}:Component"

[tool.functory]
{settings}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the workspace's own files with two plugins, in step."""
    for name in (
        "pyproject.toml",
        "README.md",
        "CONTRIBUTING.md",
        "core/pyproject.toml",
        "sdk/pyproject.toml",
        "core/src/functory/__init__.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for folder in ("machine", "plugins"):
        (tmp_path / "core/src/functory" / folder).mkdir()
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    add_plugin(tmp_path, "backbones", "tiny", 'set = "standard"')
    add_plugin(tmp_path, "tasks", "tags", 'set = "standard"\nextras = ["metrics"]')
    sync(tmp_path)
    return tmp_path


def add_plugin(tree: Path, kind: str, name: str, settings: str = "") -> Path:
    file = tree / "plugins" / kind / name / "pyproject.toml"
    file.parent.mkdir(parents=True)
    file.write_text(PLUGIN.format(kind=kind, name=name, settings=settings), encoding="utf-8")
    return file


def sync(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(tree / "scripts/sync.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def read_toml(file: Path) -> dict:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def test_a_tree_that_was_synced_passes_the_check(tree: Path) -> None:
    assert sync(tree, "--check").returncode == 0


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("plugins/tasks/tags/pyproject.toml", 'version = "0.1.0"', 'version = "0.1.1"'),
        ("plugins/tasks/tags/pyproject.toml", "functory-sdk>=0.1,<0.2", "functory-sdk==0.1.0"),
        ("plugins/tasks/tags/pyproject.toml", "functory-sdk>=0.1,<0.2", "functory-sdk"),
        ("core/src/functory/__init__.py", '__version__ = "0.1.0"', '__version__ = "0.1.1"'),
        ("core/pyproject.toml", '"functory-tags[metrics]>=0.1,<0.2",', ""),
        ("core/src/functory/plugins/known.json", "functory-tags", "functory-tagger"),
        ("pyproject.toml", '    "functory_tags",\n', ""),
        ("README.md", "The tags of a small tree.", "Another sentence."),
        ("CONTRIBUTING.md", "| core | ", "| core | 1"),
    ],
)
def test_check_names_the_one_file_out_of_step_and_changes_nothing(
    tree: Path, file: str, old: str, new: str
) -> None:
    right = (tree / file).read_text(encoding="utf-8")
    replace(tree / file, old, new)
    wrong = (tree / file).read_text(encoding="utf-8")
    checked = sync(tree, "--check")
    assert (checked.returncode, checked.stdout) == (1, f"out of step: {file}\n")
    assert "do: make sync" in checked.stderr
    assert (tree / file).read_text(encoding="utf-8") == wrong
    assert sync(tree).returncode == 0
    assert (tree / file).read_text(encoding="utf-8") == right


def test_a_new_plugin_edits_nothing_outside_its_folder(tree: Path) -> None:
    add_plugin(tree, "adaptations", "twist")
    assert sync(tree, "--check").stdout.splitlines() == [
        f"out of step: {file}"
        for file in ("core/pyproject.toml", "pyproject.toml", "README.md", "core/src/functory/plugins/known.json")
    ]
    sync(tree)
    extras = read_toml(tree / "core/pyproject.toml")["project"]["optional-dependencies"]
    assert extras["standard"] == ["functory-tags[metrics]>=0.1,<0.2", "functory-tiny>=0.1,<0.2"]
    assert extras["all"] == [*extras["standard"], "functory-twist>=0.1,<0.2"]
    assert json.loads((tree / "core/src/functory/plugins/known.json").read_text(encoding="utf-8")) == {
        "adaptations": {"twist": "functory-twist"},
        "backbones": {"tiny": "functory-tiny"},
        "tasks": {"tags": "functory-tags"},
    }
    assert "| `twist` | [functory-twist](plugins/adaptations/twist) |" in (tree / "README.md").read_text(
        encoding="utf-8"
    )
    contracts = {
        rule["type"]: rule for rule in read_toml(tree / "pyproject.toml")["tool"]["importlinter"]["contracts"]
    }
    assert contracts["independence"]["modules"] == ["functory_tags", "functory_tiny", "functory_twist"]


def test_a_plugin_may_stay_out_of_every_set(tree: Path) -> None:
    add_plugin(tree, "backbones", "gated", 'set = "none"')
    sync(tree)
    assert "functory-gated" not in (tree / "core/pyproject.toml").read_text(encoding="utf-8")
    assert "functory-gated" in (tree / "core/src/functory/plugins/known.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(("version", "span"), [("0.3.2", ">=0.3,<0.4"), ("1.4.0", ">=1.4,<2")])
def test_one_edit_raises_the_version_everywhere(tree: Path, version: str, span: str) -> None:
    template = tree / "sdk/src/functory_sdk/template/{{ cookiecutter.name }}/pyproject.toml"
    template.parent.mkdir(parents=True)
    template.write_text(
        'name = "{{ name }}"\nversion = "0.0.1"\ndependencies = ["functory-sdk[testing]>=0.1,<0.2"]\n'
    )
    replace(tree / "pyproject.toml", 'version = "0.1.0"', f'version = "{version}"')
    sync(tree)
    for folder in ("core", "sdk", "plugins/backbones/tiny", "plugins/tasks/tags"):
        assert read_toml(tree / folder / "pyproject.toml")["project"]["version"] == version
    assert read_toml(tree / "sdk/pyproject.toml")["project"]["dependencies"] == [f"functory{span}"]
    assert (
        read_toml(tree / "plugins/tasks/tags/pyproject.toml")["project"]["dependencies"][0]
        == f"functory-sdk{span}"
    )
    assert f'__version__ = "{version}"' in (tree / "core/src/functory/__init__.py").read_text(
        encoding="utf-8"
    )
    # The rendered plugin's version is its author's.
    assert read_toml(template) == {
        "name": "{{ name }}", "version": "0.0.1", "dependencies": [f"functory-sdk[testing]{span}"],
    }  # fmt: skip


def test_a_lost_marker_line_is_named(tree: Path) -> None:
    replace(tree / "README.md", "<!-- plugins:begin", "<!-- ")
    assert "plugins:begin" in sync(tree).stderr
