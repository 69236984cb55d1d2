"""A recipe's part as the component that it names."""

from __future__ import annotations

from typing import Any

from functory.contracts.component import Part
from functory.plugins.registry import is_file, load, load_file


def component(kind: str, part: Part, *, where: str = "") -> Any:
    """Return the configured component of a recipe's part; a component in a file is allowed here and only here."""
    found = load_file(part.name, kind) if is_file(part.name) else load(kind, part.name, where=where)
    return found.configure(part.options, where=where)
