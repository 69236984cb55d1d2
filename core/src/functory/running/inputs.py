"""Reads what a caller gives as a task's Input: arguments as Python hands them over, and the many of `map`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from functory.contracts.component import complaint
from functory.contracts.plain import plain
from functory.contracts.task import Input, Task
from functory.errors import DataError, InputError
from functory.wording.told import cut

if TYPE_CHECKING:
    from functory.data.columns import Column
    from functory.data.tables import Table


def arguments(task: Task[Any], args: Sequence[Any], kwargs: Mapping[str, Any], call: str) -> Input:
    """Return the arguments of a call as an Input: without a name they are the task's shorthand, in its order.

    :param call: how the function is called, for the remedy: ``sentiment(text: str) -> Classification``.
    :raises InputError: when they do not make one.
    """
    if len(args) == 1 and not kwargs and isinstance(args[0], task.Input):
        return args[0]
    names = task.shorthand
    if len(args) > len(names):
        name = call.partition("(")[0]
        raise InputError(
            f"{name} takes {len(names)} positional argument{'' if len(names) == 1 else 's'}; {len(args)} were given.",
            do=f"call it as {call}.",
        )
    placed = dict(zip(names, args, strict=False))
    twice = next((name for name in placed if name in kwargs), "")
    if twice:
        raise InputError(f"{twice} was given twice, by its place and by its name.", do=f"call it as {call}.")
    return _validated(task, {**placed, **kwargs}, call)


def many(task: Task[Any], inputs: Any, call: str) -> Iterable[Any]:  # Any: what users have many inputs in
    """Return what `map` goes through: the items of an iterable, or the fields of the Input in the rows of a table.

    :param call: as `arguments` takes it.
    :raises InputError: for one text, path or dict, which are not many, and for what is none of all that.
    """
    if isinstance(inputs, (list, tuple, Iterator)):
        return inputs
    name = call.partition("(")[0]
    inputs = plain(inputs) if getattr(inputs, "ndim", 1) == 0 else inputs  # an array that holds one thing
    if isinstance(inputs, (str, bytes)):
        raise InputError(
            f"{name}.map goes through many inputs, and was given one text: {_short(inputs)}.",
            do=f"call {name}(…) for one, or give a list of texts: {name}.map([…]).",
        )
    if isinstance(inputs, (PathLike, Input)):
        raise InputError(
            f"{name}.map goes through many inputs, and was given one {type(inputs).__name__}.",
            do=f"give an iterable; of a file: from functory.data import read; {name}.map(read(FILE))."
            if isinstance(inputs, PathLike)
            else f"call {name}(…) for one, or give a list of them.",
        )
    table = _table(inputs)
    if table is not None:
        return _Fields(task, table, name)
    if isinstance(inputs, Mapping):
        raise InputError(
            f"{name}.map goes through many inputs, and was given one dict with the keys {', '.join(map(repr, inputs))}.",
            do=f"call {name}(**fields) for one, or give a list of dicts, or columns of one length.",
        )
    if not isinstance(inputs, Iterable):
        raise InputError(f"a {type(inputs).__name__} is not many inputs.", do=f"give a list: {name}.map([…]).")
    return inputs


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _table(inputs: Any) -> Table | None:  # Any: as above
    """Return inputs as a table, if they are one."""
    from functory.data.records import Records
    from functory.data.sources import is_dataset
    from functory.data.tables import Table, table_of

    if isinstance(inputs, Records):
        return Table(inputs.columns, (record.values for record in inputs), len(inputs))
    if is_dataset(inputs):
        count = len(inputs) if hasattr(inputs, "__len__") else None
        return Table(tuple(inputs.column_names or inputs.features or ()), inputs, count)
    return table_of(inputs)


class _Fields:
    """The fields of the Input in the rows of a table.

    :raises InputError: when no column is clearly a field.
    """

    def __init__(self, task: Task[Any], table: Table, name: str) -> None:
        from functory.data.columns import guess

        try:
            found = guess(table.columns, task.Input, task.columns)
        except DataError as error:
            first = next(iter(table.columns), "COLUMN")
            do = f"give the column alone, {name}.map(table[{first!r}]), or rename it."
            raise InputError(error.what, do=do) from error
        self.columns = found
        self.table, self.task = table, task

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (fields_of(self.task, self.columns, row) for row in self.table.rows)

    def __length_hint__(self) -> int:
        """How many there are; 0 where that is not known before."""
        return self.table.count or 0


def fields_of(task: Task[Any], columns: Mapping[str, Column], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a row holds.

    :param columns: field → column, or several.
    """
    return {
        field: row.get(column)
        if isinstance(column, str)
        else task.gathered(field, {one: plain(row.get(one)) for one in column})
        for field, column in columns.items()
    }


def _renamed(task: Task[Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a dict by the names of the Input's fields, where some of its keys are other names of them, as columns have them.

    :raises InputError: where several keys may be one field.
    """
    from functory.data.columns import guess

    fields = task.Input.model_fields
    if given.keys() <= fields.keys():
        return given
    names = {field: task.columns.get(field, ()) for field in fields}
    known = {name.casefold() for own in names.values() for name in own}
    if all(key in fields or str(key).casefold() not in known for key in given):
        return given
    try:
        found = guess(tuple(given), task.Input, names)
    except DataError as error:
        raise InputError(error.what, do=f"give the fields by their names: {', '.join(fields)}.") from error
    taken = {column for own in found.values() for column in ((own,) if isinstance(own, str) else own)}
    rest = {key: value for key, value in given.items() if key not in taken}  # refused as what is no field
    return rest | fields_of(task, found, given)


def item(task: Task[Any], value: Any, call: str) -> Input:  # Any: what users put into lists
    """Return one item as an Input: a text, a tuple or a dict of fields, an Input, or an Example without its answer.

    :param call: as `arguments` takes it.
    :raises InputError: when it does not make one.
    """
    if isinstance(value, task.Input):
        return task.Input.model_construct(**{name: getattr(value, name) for name in task.Input.model_fields})
    value = plain(value) if not isinstance(value, tuple) else value
    if isinstance(value, dict):
        return _validated(task, _renamed(task, value), call)
    return arguments(task, value if isinstance(value, tuple) else (value,), {}, call)


def _validated(task: Task[Any], fields: Mapping[str, Any], call: str) -> Input:
    given = {name: plain(value) for name, value in fields.items()}
    broken = next((name for name, value in given.items() if not _is_text(value)), None)
    if broken is not None:
        shown = cut(repr(given[broken]))
        what = f"{broken}: it holds half of a surrogate pair, which is no text (got {shown})."
        raise InputError(what, do="remove it, or read the file that it comes from in its own encoding.")
    try:
        return task.Input.model_validate(given)
    except ValidationError as error:
        raise InputError(f"{complaint(error)}.", do=f"call {call}.") from None  # it says all that pydantic's says


def _is_text(value: Any) -> bool:  # Any: what users give for a field
    """Return whether a text, or each of a list, can be encoded; pydantic lets half of a surrogate pair pass here and there."""
    for one in value if isinstance(value, (list, tuple)) else (value,):
        if isinstance(one, str):
            try:
                one.encode()
            except UnicodeEncodeError:
                return False
    return True
