"""What a function was built from, in a line each: what stands at the head of its report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functory.function import Function

SIDES = {"train": "learned from", "dev": "chosen on", "test": "measured on"}
"""The sides of the data of a build, and what each was for."""


def origin(function: Function) -> dict[str, str]:
    """Return what a function was built from, by what it is."""
    return {name: told for name, told in _told(function) if told}


def _told(function: Function) -> Iterator[tuple[str, str]]:
    about, form = function.about, function.form
    made = form.described()
    yield "task", function.task.name
    yield "version", about.version
    yield "backbone", _part(about.recipe.get("backbone")) or str(made.get("backbone", {}).get("name", ""))
    yield "adaptation", _part(made.get("adaptation")) or _part(about.recipe.get("adaptation"))
    yield "form", form.name
    for side, purpose in SIDES.items():
        yield purpose, _side(about.data.get(side))
    yield "seed", str(about.recipe.get("seed", ""))
    yield "made with", ", ".join(f"{name} {version}" for name, version in about.versions.items())


def _part(part: Any) -> str:  # Any: what a recipe keeps of a component, as plain data
    """Return a component's name, as a recipe keeps it."""
    return str(part.get("name", "")) if isinstance(part, dict) else str(part or "")


def _side(side: Any) -> str:  # Any: what a manifest keeps of a side, as plain data
    """Return how many examples a side has, and the beginning of their hash."""
    if not isinstance(side, dict) or "examples" not in side:
        return ""
    return f"{side['examples']:,} examples (sha256 {str(side.get('sha256', ''))[:12]}…)"
