"""Which column holds which field of an example: guessed where that is clear, asked for otherwise.

A field may be read from several columns, where the user names them: a label from one column of 0 and 1 per label.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import takewhile
from typing import Any

from pydantic import BaseModel

from functory.errors import DataError

Column = str | tuple[str, ...]
"""What a field is read from: a column, or several."""


def guess(
    available: Sequence[str],
    model: type[BaseModel],
    names: Mapping[str, Sequence[str]],
    mapping: Mapping[str, str | Sequence[str]] | None = None,
    *,
    source: str = "",
) -> dict[str, Column]:
    """Return the column of each field that has one.

    A field's own name decides; else exactly one of the names it is known by, in upper or lower case. A name that ends in ``*``
    stands for columns that are numbered or lettered from the first on, two at least: ``ending*`` for ending0, ending1, ending2.

    :param available: the columns that there are.
    :param model: the example; a field with a default may have no column.
    :param names: for each field, the names of columns by which it is known.
    :param mapping: field → column, or several, as the user said; it goes before every guess.
    :raises DataError: when a required field has no clear column, or the mapping names what is not there.
    """
    chosen: dict[str, Column] = {
        field: column if isinstance(column, str) else tuple(column) for field, column in (mapping or {}).items()
    }
    for field, column in chosen.items():
        for one in each(column):
            _check(field, one, available, model, source)
        _once(field, each(column), source)
    for field, info in model.model_fields.items():
        if field in chosen:
            continue
        taken = {one for column in chosen.values() for one in each(column)}
        free = [column for column in available if column not in taken]
        found = _candidates(field, free, names.get(field, ()))
        if len(found) == 1:
            chosen[field] = found[0]
        elif not found and (several := _numbered(free, names.get(field, ()))):
            chosen[field] = several
        elif found or info.is_required():
            raise _unclear(field, found, available, free, source)
    return {field: chosen[field] for field in model.model_fields if field in chosen}


def each(column: Column) -> tuple[str, ...]:
    """Return the columns that a field is read from, one or several."""
    return (column,) if isinstance(column, str) else column


def told(column: Column) -> str:
    """Return the columns that a field is read from, in words."""
    return ", ".join(each(column))


def value_at(values: Mapping[str, Any], column: str) -> Any:  # Any: whatever a row holds
    """Return what a row holds in a column, or under a path into one: ``passage.text``, ``answers.0``; None without it.

    A column of that very name goes before a path. JSON in a text is looked into.
    """
    if column in values or "." not in column:
        return values.get(column)
    value: Any = values
    for key in column.split("."):
        if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            value = _parsed(value)
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, (list, tuple)) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def _parsed(text: str) -> Any:  # Any: JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _candidates(field: str, free: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the columns that a field may mean: by its exact name, its name in any case, its other names."""
    free = list(free)
    known = {name.casefold() for name in names}
    same = [column for column in free if column.strip().casefold() == field.casefold()]
    if field in free and all(column == field for column in same):
        return [field]
    for fits in (
        [column for column in free if column.strip().casefold() == field.casefold()],
        [column for column in free if column.strip().casefold() in known],
    ):
        if fits:
            return fits
    return []


def _numbered(free: Sequence[str], names: Iterable[str]) -> tuple[str, ...]:
    """Return the columns that one of the names with a ``*`` stands for, in their order; none where there are not two."""
    for name in (name for name in names if name.endswith("*")):
        shape = re.compile(rf"{re.escape(name[:-1])}[ _.-]?(\d{{1,2}}|[a-z])", re.IGNORECASE)
        ends = {match[1].casefold(): column for column in free if (match := shape.fullmatch(column.strip()))}
        for firsts in (map(str, range(100)), map(str, range(1, 100)), iter("abcdefghijklmnopqrstuvwxyz")):
            found = tuple(ends[end] for end in takewhile(ends.__contains__, firsts))
            if len(found) > 1:
                return found
    return ()


def _check(field: str, column: str, available: Sequence[str], model: type[BaseModel], source: str) -> None:
    """Refuse a mapping of a field or to a column that there is not.

    :raises DataError: with the near name.
    """
    for word, name, known in (
        ("field", field, list(model.model_fields)),
        ("column", column, list(available)),
    ):
        is_path = word == "column" and name.partition(".")[0] in known
        if name not in known and not is_path:
            near = get_close_matches(name, known, n=1) or get_close_matches(name.partition(".")[0], known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise DataError(
                f"there is no {word} {name!r} to map {field!r} to."
                if word == "column"
                else f"an example has no field {name!r}.",
                where=source,
                do=f"{hint}The {word}s: {', '.join(known) or 'none'}.",
            )


def _once(field: str, columns: Sequence[str], source: str) -> None:
    """Refuse no column at all, and one that is named twice.

    :raises DataError: saying which.
    """
    twice = next((one for one in columns if columns.count(one) > 1), "")
    if twice or not columns:
        what = f"is to be read from {twice!r} twice" if twice else "is to be read from no column"
        raise DataError(f"{field!r} {what}.", where=source, do="name each column once.")


def _unclear(
    field: str, found: Sequence[str], available: Sequence[str], free: Sequence[str], source: str
) -> DataError:
    """Return the error that lists the columns and the option that settles it."""
    example = (found or free or ["COLUMN"])[0]
    option = shlex.quote(f"{field}={example}")
    what = (
        f"{field!r} may be any of the columns {', '.join(found)}"
        if found
        else f"no column is clearly {field!r}"
    )
    return DataError(
        f"{what}.",
        where=source,
        do=f"say which: --column {option} (columns={{{field!r}: {example!r}}}). "
        f"The columns: {', '.join(map(repr, available)) or 'none'}.",
    )
