"""What is named exists: the pages that code and pages send their readers to, and what pages copy from the code."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [
    file
    for pattern in (
        "*.md", "docs/*.md", "core/**/*.py", "core/*.md", "sdk/**/*.py", "sdk/*.md", "plugins/**/*.py", "plugins/**/*.md",
        "examples/**/*.py", "examples/**/*.md", "scripts/*.py",
    )
    for file in ROOT.glob(pattern)
    if not {"build", "node_modules", ".venv"} & set(file.relative_to(ROOT).parts)
]  # fmt: skip
PAGE = re.compile(r"\bdocs/[\w./-]+\.\w+")


def test_every_page_that_is_named_anywhere_exists() -> None:
    named = {(file, page) for file in SOURCES for page in PAGE.findall(file.read_text(encoding="utf-8"))}
    assert {page for _, page in named} >= {"docs/hooks.md", "docs/recipes.md", "docs/sdk.md"}
    lost = {f"{file.relative_to(ROOT)} names {page}" for file, page in named if not (ROOT / page).is_file()}
    assert not lost, f"no such page: {', '.join(sorted(lost))}."


def test_no_text_sends_its_reader_to_a_folder_of_pages() -> None:
    """A remedy names one page: "see docs/" leads nowhere."""
    vague = [
        str(file.relative_to(ROOT))
        for file in SOURCES
        if file.suffix == ".py" and re.search(r"see [^\n]{0,40}docs/[\s\"'.]", file.read_text(encoding="utf-8"))
    ]
    assert not vague, f"name the page: {', '.join(vague)}."


@pytest.mark.parametrize("script", ["recipes_page.py", "sdk_page.py"])
def test_pages_made_from_the_code_are_in_step(script: str) -> None:
    command = [sys.executable, str(ROOT / "scripts" / script), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_component_that_a_remedy_names_exists() -> None:
    """``adaptation = 'fine-tuned'`` in a message is a name that somebody can type."""
    entries: dict[str, set[str]] = {}
    for file in [ROOT / "core" / "pyproject.toml", *ROOT.glob("plugins/*/*/pyproject.toml")]:
        for group, names in tomllib.loads(file.read_text(encoding="utf-8"))["project"].get("entry-points", {}).items():
            entries.setdefault(group.removeprefix("functory.").removesuffix("s"), set()).update(names)
    lost = [
        f"{file.relative_to(ROOT)} names the {kind} {name!r}"
        for pattern in ("core/src/**/*.py", "sdk/src/**/*.py", "plugins/*/*/src/**/*.py")
        for file in ROOT.glob(pattern)
        if not {"testing", "template"} & set(file.parts)
        for kind, name in re.findall(r"\b(task|adaptation|engine|backbone) = '([a-z][\w-]*)'", file.read_text(encoding="utf-8"))
        if name not in entries[kind]
    ]
    assert not lost, ", ".join(lost)
