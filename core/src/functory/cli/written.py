"""How the fields of an input are written on a command line: a text each, a list or an object as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from functory.errors import InputError

if TYPE_CHECKING:
    from functory.contracts.task import Task


def fields(task: Task[Any], texts: Sequence[str]) -> dict[str, Any]:
    """Return the fields that texts write, in the order of the task's shorthand; JSON is read where one may hold a list.

    :raises InputError: where JSON is broken, naming the character.
    """
    from functory.data.validation import listable_fields, structured_fields, takes_text

    structured, listable = structured_fields(task.Input), listable_fields(task.Input)
    kinds = {field: info.annotation for field, info in task.Input.model_fields.items()}
    given = dict(zip(task.shorthand, texts, strict=False))
    read = {field: _read(field, given[field], takes_text(kinds[field])) for field in given if field in structured}
    return given | read | {field: _words(given[field]) for field in given if field in listable}


def _read(field: str, text: str, may_be_text: bool) -> Any:  # Any: what JSON can write
    """Return the list or the object that a text writes; the text itself where it writes none.

    :raises InputError: where it may be no text, begins as a list, and is none.
    """
    from functory.contracts.cells import broken, structure

    found = structure(text)
    if isinstance(found, str) and not may_be_text and (fault := broken(text)):
        raise InputError(f"{field} is {fault}.", do="""write '["…", "…"]', in single quotes for the shell.""")
    return found


def _words(text: str) -> Any:  # Any: as above
    """Return the list of texts that a text writes; the text itself where it writes none."""
    from functory.contracts.cells import structure

    found = structure(text) if text.lstrip().startswith("[") else text
    is_listed = isinstance(found, list) and bool(found) and all(isinstance(one, str) for one in found)
    return found if is_listed else text


def tried(signature: Mapping[str, Any]) -> str:
    """Return what a user may write after ``functory run FUNCTION`` to try it: a place for each field that is needed.

    :param signature: as `running.describing.schemas` makes it.
    """
    names = signature.get("shorthand", ["text"])
    given = signature.get("input", {})
    needed = [name for name in names if name in given.get("required", names)] or names[:1]
    kinds = {name: one.get("type") for name, one in given.get("properties", {}).items()}
    return " ".join("""'["…", "…"]'""" if kinds.get(name) == "array" else '"…"' for name in needed)
