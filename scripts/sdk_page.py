"""Writes the list of checks in docs/sdk.md: ``python scripts/sdk_page.py``; ``--check`` only compares."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from pages import DOCS, keep
from sync import set_block

SUITES = DOCS.parent / "sdk" / "src" / "functory_sdk" / "testing"


def suites() -> str:
    """Return each suite with the sentences of its checks, those for all first."""
    found = [suite for file in sorted(SUITES.glob("*.py")) for suite in suites_of(file)]
    found.sort(key=lambda suite: (suite[0] not in ("Suite", "ComponentSuite"), suite[0]))
    return "\n".join(f"- **`{name}`**: {' '.join(sentences)}" for name, sentences in found) + "\n"


def suites_of(file: Path) -> Iterator[tuple[str, list[str]]]:
    """Give the suites of a module, each with the first sentence of every check."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name.endswith("Suite"):
            checks = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name.startswith("test_")]
            if checks:
                yield node.name, [sentence(ast.get_docstring(check) or "") for check in checks]


def sentence(text: str) -> str:
    """Return the first sentence of a docstring."""
    first = " ".join(text.partition("\n\n")[0].split())
    return first if first.endswith(".") else f"{first}."


def page() -> str:
    """Return the page with its list."""
    return set_block((DOCS / "sdk.md").read_text(encoding="utf-8"), "suites", suites())


if __name__ == "__main__":
    raise SystemExit(keep("sdk.md", page()))
