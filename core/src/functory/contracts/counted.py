"""Calls a task's own methods, and names the one that gives another number of things than it was given, with file and line.

Apart from the contract, because what core owes an author is a place, where Python would say that a zip is too short.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from functory.contracts.rows import Array, Encoded, Row, Taught
from functory.errors import PluginError

if TYPE_CHECKING:
    from functory.contracts.formulation import Formulation
    from functory.contracts.task import Task
    from functory.reading.reader import Reader


def encode(formulation: Formulation, inputs: Sequence[Any], reader: Reader, state: Any) -> Encoded:
    """Return what a formulation makes of inputs.

    :raises OptionError: for a control of what takes none.
    :raises TooLong: where the recipe says "refuse".
    :raises PluginError: when it gives another number of sides, owners or requests than there are inputs or rows.
    """
    formulation.check_control(formulation.decoding)
    return _counted(formulation.encode, formulation.encode(inputs, reader, state), len(inputs), formulation.program)


def further(formulation: Formulation, side: Any, outputs: Sequence[Row], reader: Reader, state: Any) -> Encoded | None:
    """Return what else is written for an input.

    :raises PluginError: when it is for none, or for several.
    """
    encoded = formulation.further(side, outputs, reader, state)
    return encoded and _counted(formulation.further, encoded, 1, formulation.program)


def _counted(method: Callable[..., Any], encoded: Encoded, number: int, program: str) -> Encoded:
    """Return what a method made of so many inputs.

    :raises PluginError: as `encode` has it.
    """
    rows = len(encoded.rows)
    owed = {"side": number, "owner": rows}
    if program == "generate":
        owed |= {"requests": number} if encoded.of is None else {"of": len(encoded.requests)}
    for name, wanted in owed.items():
        given = len(getattr(encoded, name))
        if given != wanted:
            what = f"gives {given} of {name!r} for {number} inputs in {rows} rows"
            do = f"give {wanted}: one side for each input, one owner for each row, one request for each input, or `of` for each."
            raise misfit(method, what, do)
    for what, owners in (("row", encoded.owner), ("request", encoded.of or ()), ("rest", encoded.unfinished)):
        if any(not 0 <= owner < number for owner in owners):
            raise misfit(method, f"says that a {what} is input {max(owners)}'s, of {number}", "count them from 0.")
    return encoded


def label(formulation: Formulation, examples: Sequence[Any], encoded: Encoded, state: Any) -> list[dict[str, Array]]:
    """Return the gold arrays of rows.

    :raises PluginError: when there are not as many as rows.
    """
    golds = formulation.label(examples, encoded, state)
    if len(golds) != len(encoded.rows):
        what = f"gives {len(golds)} labels for {len(encoded.rows)} rows of {len(examples)} examples"
        do = "give one mapping for each row, not for each example: encoded.owner says whose it is."
        raise misfit(formulation.label, what, do)
    return golds


def teach(
    formulation: Formulation, examples: Sequence[Any], inputs: Sequence[Any], reader: Reader, state: Any
) -> Taught:
    """Return what a formulation teaches.

    :raises PluginError: when it gives another number of owners or groups than rows, or an owner that is no example.
    """
    taught = formulation.teach(examples, inputs, reader, state)
    rows, number = len(taught.rows), len(examples)
    for name in ("owner", "group"):
        given = len(getattr(taught, name))
        if given != rows:
            what = f"gives {given} of {name!r} for {rows} rows of {number} examples"
            raise misfit(formulation.teach, what, f"give {rows}: for each row its {name}.")
    if any(not 0 <= owner < number for owner in taught.owner):
        raise misfit(formulation.teach, f"says that a row is example {max(taught.owner)}'s, of {number}", "count them from 0.")
    return taught


def compose(task: Task[Any], parts: Mapping[str, Any], inputs: Sequence[Any]) -> list[Any]:
    """Return the outputs of a task that is made of functions.

    :raises PluginError: when there are not as many as inputs.
    """
    outputs = list(task.compose(parts, inputs))
    if len(outputs) != len(inputs):
        what = f"gives {len(outputs)} outputs for {len(inputs)} inputs"
        raise misfit(task.compose, what, "give one for each, in their order.")
    return outputs


def misfit(method: Callable[..., Any], what: str, do: str) -> PluginError:
    """Return the error of a plugin's method that gives what does not fit, at the place where it is defined."""
    return PluginError(f"{getattr(method, '__qualname__', repr(method))} {what}.", where=place(method), do=do)


def place(method: Callable[..., Any]) -> str:
    """Return file, line and name of a function or a method, where it has them."""
    code = getattr(inspect.unwrap(method), "__code__", None)
    return f"{code.co_filename}, line {code.co_firstlineno}, in {code.co_qualname}" if code else repr(method)
