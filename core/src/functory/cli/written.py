"""How the fields of an input are written on a command line: a text each, a list or an object as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functory.contracts.task import Task


def fields(task: Task[Any], texts: Sequence[str]) -> dict[str, Any]:
    """Return the fields that texts write, in the order of the task's shorthand; JSON is read where one may hold a list."""
    from functory.contracts.cells import structure
    from functory.data.validation import structured_fields

    structured = structured_fields(task.Input)
    named = zip(task.shorthand, texts, strict=False)
    return {field: structure(text) if field in structured else text for field, text in named}


def tried(signature: Mapping[str, Any]) -> str:
    """Return what a user may write after ``functory run FUNCTION`` to try it: a place for each field that is needed.

    :param signature: as `running.describing.schemas` makes it.
    """
    names = signature.get("shorthand", ["text"])
    given = signature.get("input", {})
    needed = [name for name in names if name in given.get("required", names)] or names[:1]
    kinds = {name: one.get("type") for name, one in given.get("properties", {}).items()}
    return " ".join("""'["…", "…"]'""" if kinds.get(name) == "array" else '"…"' for name in needed)
