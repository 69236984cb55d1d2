"""The example plugins are third parties': nothing of this project but the SDK, and as short as they are said to be."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples" / "plugins"
FOLDERS = sorted(file.parent for file in EXAMPLES.glob("*/pyproject.toml"))
LENGTHS = {"bottleneck": 30, "evaluation-cache": 15, "licence-policy": 15}


def imported(tree: ast.AST) -> set[str]:
    """Return the modules that a program imports."""
    plain = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    return plain | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def lines_of(text: str) -> int:
    """Count the lines of a program that are neither import, docstring nor blank."""
    tree = ast.parse(text)
    skipped: set[int] = set()
    for node in ast.walk(tree):
        is_text = (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        )
        if is_text or isinstance(node, ast.Import | ast.ImportFrom):
            skipped |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return sum(bool(line.strip()) for number, line in enumerate(text.splitlines(), 1) if number not in skipped)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_example_plugin_is_a_strangers_and_knows_the_sdk_alone(folder: Path) -> None:
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == f"acme-{folder.name}"
    needs = [one.partition(">")[0] for one in project["dependencies"]]
    assert [one for one in needs if one.startswith("functory")] == ["functory-sdk"]
    assert project["entry-points"]["functory.contract"] == {"1": "functory_sdk:CONTRACT"}
    own = f"acme_{folder.name.replace('-', '_')}"
    assert (folder / "src" / own / "py.typed").is_file()
    for file in folder.glob("src/**/*.py"):
        ours = {name for name in imported(ast.parse(file.read_text(encoding="utf-8"))) if name.startswith("functory")}
        assert all(name.partition(".")[0] == "functory_sdk" for name in ours), f"{file}: {ours}"


@pytest.mark.parametrize("name", LENGTHS)
def test_an_example_plugin_is_as_short_as_it_is_said_to_be(name: str) -> None:
    files = (EXAMPLES / name).glob("src/**/*.py")
    assert sum(lines_of(file.read_text(encoding="utf-8")) for file in files) <= LENGTHS[name]


@pytest.mark.parametrize(("name", "most"), [("answered", 80), ("subject", 60)])
def test_a_strangers_task_takes_few_lines_and_no_file_outside_its_folder(name: str, most: int) -> None:
    """Everything counts but blank lines, comments and the README: imports, docstrings, its own tests, its pyproject.toml."""
    files = [*(EXAMPLES / name).glob("**/*.py"), EXAMPLES / name / "pyproject.toml"]
    lines = [line.strip() for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert 40 < sum(bool(line) and not line.startswith("#") for line in lines) < most
    ours = [*ROOT.glob("core/src/**/*.*"), *ROOT.glob("sdk/src/**/*.*"), *ROOT.glob("plugins/*/*/src/**/*.py")]
    texts = {file: file.read_text(encoding="utf-8") for file in ours if file.suffix in (".py", ".pyi", ".json", ".toml")}
    assert not [file for file, text in texts.items() if f"acme_{name}" in text or f"acme-{name}" in text]
