"""Rows as they were found: values by column name, and the place of each.

Nothing is checked here but what makes a row a row; rows that are none are kept as faults beside the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, overload

from functory.contracts.plain import plain
from functory.data.faults import Fault

if TYPE_CHECKING:
    from functory.data.files import Doubt

Values = Mapping[str, Any]  # Any: whatever JSON, a data set or the caller's own dict holds


@dataclass(slots=True)
class Record:
    """One row.

    :param values: what it holds, by column name.
    :param where: its place: ``reviews.csv, line 7``.
    :param row: its number among all rows of the source, faulty ones too, from 0; given by the source, not by a reader.
    :param is_text: whether every value is text, as in a CSV file, where a list can only be written as JSON.
    """

    values: Values
    where: str
    row: int = 0
    is_text: bool = False


@dataclass(frozen=True)
class Records(Sequence[Record]):
    """All rows of one source, in its order.

    :param items: the rows that could be read.
    :param source: the file's name, ``samples:rotten-tomatoes``, or what the rows came as.
    :param columns: the column names, in the order of their first appearance.
    :param faults: the rows that could not be read.
    :param notes: what a person should know of the source.
    :param doubts: why a file of it may have been read in the wrong way.
    """

    items: tuple[Record, ...]
    source: str
    columns: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    def __repr__(self) -> str:
        return f"<{len(self.items):,} records of {self.source}: {', '.join(self.columns)}>"

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


AHEAD = 1000
"""So many rows are looked at before the first is handed on, to know the columns."""


class RecordStream:
    """The rows of one source as they come, faulty ones in their places. They are numbered here, and read once.

    :param rows: what the readers give.
    :param source: the source's name.
    :param has_end: whether its rows end for sure: those of a file do, those of a generator may not.
    :param notes: filled while rows are read.
    :param doubts: likewise.
    """

    def __init__(
        self, rows: Iterable[Record | Fault], source: str, *, has_end: bool = True, notes: list[str] | None = None,
        doubts: list[Doubt] | None = None,
    ) -> None:  # fmt: skip
        self.source, self.has_end = source, has_end
        self.notes: list[str] = [] if notes is None else notes
        self.doubts: list[Doubt] = [] if doubts is None else doubts
        self.most = 0
        """How many rows are read at most; all when 0. Set before the first is."""
        self.passed = 0
        """How many of the first rows are passed over; they are counted, and show their columns as far as others do."""
        self._rows = _numbered(rows)
        self._ahead: list[Record | Fault] = []

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The column names of the first thousand rows."""
        self._ahead = list(islice(self._rows, min(AHEAD, self.most or AHEAD)))
        return columns_of(row for row in self._ahead if isinstance(row, Record))

    def __iter__(self) -> Iterator[Record | Fault]:
        yield from islice(chain(self._ahead, self._rows), self.passed, self.most or None)

    def whole(self) -> Records:
        """Read all rows."""
        rows: list[Record] = []
        faults: list[Fault] = []
        for row in self:
            if isinstance(row, Fault):
                faults.append(row)
            else:
                rows.append(row)
        return Records(tuple(rows), self.source, columns_of(rows), tuple(faults), tuple(self.notes), tuple(self.doubts))


def _numbered(rows: Iterable[Record | Fault]) -> Iterator[Record | Fault]:
    """Give each row its number, from 0."""
    for number, row in enumerate(rows):
        if isinstance(row, Record):
            row.row = number
            yield row
        else:
            yield replace(row, row=number)
