"""Writes the list of checks in docs/sdk.md: ``python scripts/sdk_page.py``; ``--check`` only compares."""

from __future__ import annotations

import ast
from functools import cache

from pages import DOCS, keep
from sync import set_block

SUITES = DOCS.parent / "sdk" / "src" / "functory_sdk" / "testing"


def suites() -> str:
    """Return each suite with the sentences of its checks, those for all first."""
    found = [(name, told) for name in classes() if name.endswith("Suite") and (told := sentences(name))]
    found.sort(key=lambda suite: (suite[0] not in ("Suite", "ComponentSuite"), suite[0]))
    return "\n".join(f"- **`{name}`**: {' '.join(told)}" for name, told in found) + "\n"


@cache
def classes() -> dict[str, ast.ClassDef]:
    """Return the classes of the modules of suites by their names."""
    nodes = (node for file in sorted(SUITES.rglob("*.py")) for node in ast.parse(file.read_text(encoding="utf-8")).body)
    return {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}


def sentences(name: str) -> list[str]:
    """Return the first sentence of every check of a suite: of the parts that it is put together from, and its own."""
    node = classes()[name]
    parts = [base.id for base in node.bases if isinstance(base, ast.Name) and base.id.endswith("Checks")]
    own = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name.startswith("test_")]
    return [told for part in parts for told in sentences(part)] + [sentence(ast.get_docstring(check) or "") for check in own]


def sentence(text: str) -> str:
    """Return the first sentence of a docstring."""
    first = " ".join(text.partition("\n\n")[0].split())
    return first if first.endswith(".") else f"{first}."


def page() -> str:
    """Return the page with its list."""
    return set_block((DOCS / "sdk.md").read_text(encoding="utf-8"), "suites", suites())


if __name__ == "__main__":
    raise SystemExit(keep("sdk.md", page()))
