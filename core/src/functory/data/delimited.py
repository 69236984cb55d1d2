"""CSV and TSV, read strictly: a stray quote is one named fault, not a swallowed half of the file.

Here: from rows of fields to records. How lines become rows is in `cutting`.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, field_validator

from functory.contracts.component import Options
from functory.contracts.plain import finite
from functory.contracts.reader import Columns, DataReader
from functory.data.cutting import LONE_RETURN, NUL, Cut, Cutter, dialect_of, sampled
from functory.data.faults import Fault
from functory.data.files import DataFile, Doubt
from functory.data.records import Record
from functory.data.writing import Rows
from functory.errors import DataError

REMEDY = "put the column names into the first line, such as text,label; or say that there are none: --no-header."


_SEPARATOR = re.compile(r"sep=(.)[\r\n]+\Z")
"""The line by which Excel is told the delimiter; it stands before the header."""


class DelimitedOptions(Options):
    """How the rows of a file are written."""

    header: bool = Field(True, description="Whether the first line names the columns; without, they are 1, 2, 3 …")
    names: tuple[str, ...] = Field((), description="The columns' names, where the file has no header.")
    delimiter: str = Field("", max_length=1, description="What stands between fields; found out when empty.")

    @field_validator("delimiter", mode="before")
    @classmethod
    def _tab(cls, value: Any) -> Any:  # Any: whatever was given, for pydantic to judge
        """A tab can hardly be typed: its names do."""
        return "\t" if value in ("tab", "\\t") else value


class Delimited(DataReader[DelimitedOptions]):
    """Tables with a comma, a semicolon, a tab or a bar between the fields, and a header."""

    endings = (".csv", ".tsv", ".tab")
    writes: ClassVar[Columns] = "cells"
    examples = (
        "functory build --task text-classification --train reviews.csv",
        "functory evaluate sentiment --data reviews.csv --no-header --column text=1 --column label=2",
    )

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        usual = "\t" if file.ending in (".tsv", ".tab") else ",;\t|"
        told = _SEPARATOR.match(file.head_lines[0]) if file.head_lines else None
        dialect = dialect_of(file.head_lines[bool(told) :], self.options.delimiter or (told[1] if told else usual))
        lines = file.lines()
        if told:
            next(lines)
        rows = Cutter(lines, dialect).rows(2 if told else 1)
        first = next(rows, None)
        names = self._names(first, file)
        if self._has_header:
            is_said = "header" in self.options.model_fields_set
            file.doubt = None if is_said else _doubt(names, sampled(file.head_lines[bool(told) :], dialect))
        elif first is not None:
            rows = chain([first], rows)
        repeated: list[int] = []
        for cut in rows:
            if self._has_header and len(names) > 1 and _is_header(cut.fields, names):
                repeated.append(cut.first)
            elif (cut.complaint or file.bad or len(cut.fields) != len(names)) and (fault := _fault(cut, names, file)):
                yield fault
            else:
                yield Record(dict(zip(names, cut.fields, strict=False)), file.place(cut.first), is_text=True)
        if repeated:
            places = ", ".join(f"{line:,}" for line in repeated[:5]) + (" …" if len(repeated) > 5 else "")
            file.notes.append(f"{file.name}: the header stands again in line {places}, which is passed over.")

    def write(self, path: Path, rows: Rows) -> None:
        """Write a header and a line a row: with tabs or commas between fields, as the file's name says, or as the options do."""
        delimiter = self.options.delimiter or ("," if rows.ending == ".csv" else "\t")
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, rows.columns, restval="", delimiter=delimiter, lineterminator="\n")
            if self.options.header:
                table.writeheader()
            table.writerows({name: _cell(value) for name, value in row.items()} for row in rows)

    @property
    def _has_header(self) -> bool:
        return self.options.header and not self.options.names

    def _names(self, first: Cut | None, file: DataFile) -> list[str]:
        """Return the column names: those of the header, those that were given, or numbers.

        :raises DataError: when the header is missing, damaged, or names a column twice.
        """
        if self._has_header:
            names = _header(first, file)
        else:
            width = len(first.fields) if first else 0
            names = list(self.options.names) or [str(number) for number in range(1, width + 1)]
        twice = [name for name, count in Counter(names).items() if count > 1 and name]
        if twice:
            do = "give each column its own name."
            raise DataError(f"two columns are named {twice[0]!r}.", where=file.place(1), do=do)
        return names


def _cell(value: Any) -> Any:  # Any: what a row holds
    """Return a value as a cell holds it: lists and objects as JSON, truth as JSON spells it, nothing as an empty cell."""
    if isinstance(value, bool | list | dict):
        return json.dumps(finite(value), ensure_ascii=False, default=str)
    return "" if finite(value) is None else value


def _header(row: Cut | None, file: DataFile) -> list[str]:
    """Return the column names of the first row, without the spaces around them.

    :raises DataError: when the row is damaged, or looks like data.
    """
    if row is None:
        raise DataError("the file has no header line.", where=file.name, do=REMEDY)
    if row.complaint:
        what, do = _complaint(row.complaint)
        if file.head_lines[0].lstrip().startswith('{"'):
            what, do = "it is JSON", "read it as such: --format jsonl (format='jsonl'), or name it .jsonl."
        raise DataError(f"the header cannot be read: {what}.", where=file.place(row.first), do=do)
    if bad := [line for line in range(row.first, row.last + 1) if line in file.bad]:
        raise DataError(f"{file.complaint(bad[0])}.", where=file.place(bad[0]), do=file.remedy)
    names = [name.strip() for name in row.fields]
    if not any(names) or all(_is_number(name) for name in names):
        raise DataError("the header is missing: the first line names no columns.", where=file.place(1), do=REMEDY)
    return names


def _doubt(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Doubt | None:
    """Return whether the header may be an example: because a name is a value of its own column too, or reads as a text."""
    others = [row for row in rows[1:] if not _is_header(row, names) and len(row) == len(names)]
    recurs = any(name and any(row[n].strip() == name for row in others) for n, name in enumerate(names))
    is_text = any(len(name.split()) > 2 or _is_number(name) for name in names)
    if not recurs and not is_text and not any(" " in name for name in names):
        return None
    what = "looks like an example, not like column names" if recurs else "may be an example, not column names"
    shown = ", ".join(f"{n} ({name if len(name) < 24 else name[:23] + '…'})" for n, name in enumerate(names, 1))
    do = f"if it is one, give --no-header, and name the columns by their numbers, which are {shown}"
    return Doubt(f"the first line {what}", do, is_strong=recurs and is_text)


def _is_header(fields: Sequence[str], names: Sequence[str]) -> bool:
    """Return whether a row is the header once more, in whatever case."""
    if len(fields) != len(names) or fields[0].strip().casefold() != names[0].casefold():
        return False
    return all(field.strip().casefold() == name.casefold() for field, name in zip(fields, names, strict=True))


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _fault(cut: Cut, names: Sequence[str], file: DataFile) -> Fault | None:
    """Return what is wrong with a row, if anything: its quotes, its encoding, its number of fields."""
    first, last, fields, complaint = cut
    if complaint:
        what, do = _complaint(complaint)
        return Fault(what, 0, file.place(first), do=do)
    if file.bad:
        for line in range(first, last + 1):
            if line in file.bad:
                column = next((name for name, field in zip(names, fields, strict=False) if _has_escape(field)), "")
                return Fault(file.complaint(line), 0, file.place(line), column, do=file.remedy)
    if len(fields) < len(names) or any(fields[len(names) :]):
        what = f"fields in the row: {len(fields)}, in the header: {len(names)}"
        column = names[len(fields)] if len(fields) < len(names) else ""
        do = "put quotes around a text that contains the delimiter." if not column else "complete the row."
        return Fault(what, 0, file.place(first), column, do=do)
    return None


def _complaint(message: str) -> tuple[str, str]:
    """Say in our words what the csv module found, and what to do."""
    quoting = 'a quoted field ends with a quote, and a quote inside it is written twice: "say ""hi""".'
    if "unexpected end of data" in message:
        return "a quote is opened here and never closed", quoting
    if message.startswith(LONE_RETURN):
        do = "put quotes around the text that holds it; or, where it ends a line: tr '\\r' '\\n' < OLD > NEW."
        return "a carriage return stands in the row without a line feed", do
    if message == NUL:
        return "the row holds NUL bytes, which are no text", "write the file anew."
    return f"the quotes of this row do not match ({message})", quoting


def _has_escape(field: str) -> bool:
    """Return whether a field holds a byte that was no text (PEP 383)."""
    return any("\udc80" <= character <= "\udcff" for character in field)
