"""Rows as they were found: values by column name, and the place of each.

Nothing is checked here but what makes a row a row; rows that are none are kept as faults beside the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

from functory.contracts.plain import plain
from functory.data.faults import Fault

Values = Mapping[str, Any]  # Any: whatever JSON, a data set or the caller's own dict holds


@dataclass(frozen=True, slots=True)
class Record:
    """One row.

    :param values: what it holds, by column name.
    :param where: its place: ``reviews.csv, line 7``.
    :param row: its number among all rows of the source, faulty ones too, from 0.
    """

    values: Values
    where: str
    row: int


@dataclass(frozen=True)
class Records(Sequence[Record]):
    """All rows of one source, in its order.

    :param items: the rows that could be read.
    :param source: the file's name, ``samples:rotten-tomatoes``, or what the rows came as.
    :param columns: the column names, in the order of their first appearance.
    :param faults: the rows that could not be read.
    :param is_text: whether every value is text, as in a CSV file, where a list can only be written as JSON.
    """

    items: tuple[Record, ...]
    source: str
    columns: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    is_text: bool = False

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Record, ...]: ...
    def __getitem__(self, index: int | slice) -> Record | tuple[Record, ...]:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.items)

    @cached_property
    def sha256(self) -> str:
        """The hash of the rows' content: the same for a CSV file and for the same rows in memory."""
        return hash_rows(record.values for record in self.items)


def hash_rows(rows: Iterable[object]) -> str:
    """Return the SHA-256 of rows, each as one line of canonical JSON (sorted keys, ASCII, no spaces)."""
    digest = hashlib.sha256()
    for row in rows:
        line = json.dumps(row, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=_as_json)
        digest.update(line.encode("ascii") + b"\n")
    return digest.hexdigest()


def _as_json(value: Any) -> Any:  # Any: what JSON does not know
    """Return an array as a list, anything else as its text."""
    found = plain(value)
    return str(value) if found is value else found


def columns_of(rows: Iterable[Record]) -> tuple[str, ...]:
    """Return all column names of rows that each have their own, in the order of their first appearance."""
    seen: dict[str, None] = {}
    for record in rows:
        seen.update(dict.fromkeys(record.values))
    return tuple(seen)
