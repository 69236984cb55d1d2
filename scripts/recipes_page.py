"""Writes the table of fields in docs/recipes.md: ``python scripts/recipes_page.py``; ``--check`` only compares."""

from __future__ import annotations

from typing import Any

from pages import DOCS, keep
from sync import set_block


def fields() -> str:
    """Return the recipe's fields as a table: the name, what it is, what it is when nothing is said."""
    from functory.recipe import Recipe

    rows = [
        f"| `{name}` | {(field.description or '').rstrip('.')} | {told(field.get_default())} |"
        for name, field in Recipe.model_fields.items()
    ]
    return "\n".join(["| field | what it is | by default |", "|---|---|---|", *rows, ""])


def told(default: Any) -> str:  # Any: whatever a field holds
    """Return a field's default as a recipe would write it; empty where nothing is the default."""
    from pydantic_core import PydanticUndefined

    from functory.contracts.component import Part

    if default is PydanticUndefined:
        return "must be given"
    value = default.name if isinstance(default, Part) else default
    return f"`{value!r}`".replace("'", '"') if value not in (None, "", (), {}) else ""


def page() -> str:
    """Return the page with its table."""
    return set_block((DOCS / "recipes.md").read_text(encoding="utf-8"), "fields", fields())


if __name__ == "__main__":
    raise SystemExit(keep("recipes.md", page()))
