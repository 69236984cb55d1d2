"""CSV and TSV, read strictly: a stray quote is one named fault, not a swallowed half of the file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence

from functory.data.faults import Fault
from functory.data.files import REMEDY_ENCODING, Text
from functory.data.records import Record, Records
from functory.errors import DataError

_LONGEST_FIELD = 2**31 - 1  # the csv module's own limit of 131,072 characters refuses long documents

Row = tuple[int, int, list[str] | str]  # first line, last line, fields or what the csv module says


def read_delimited(text: Text, delimiters: str, columns: Sequence[str] | None = None) -> Records:
    """Read rows of fields; blank lines are passed over. A row's place is the line where it starts.

    :param delimiters: the candidates, most usual first.
    :param columns: the column names, where the file has no header line.
    :raises DataError: when the header is missing, damaged, or names a column twice.
    """
    delimiter = sniff(text, delimiters)
    quoting = csv.QUOTE_NONE if delimiter == "\t" and not _is_quoted(text) else csv.QUOTE_MINIMAL
    rows = parse(text.lines, delimiter, quoting)
    names = list(columns) if columns else _header(next(rows, None), text)
    _check_names(names, text)
    records: list[Record] = []
    faults: list[Fault] = []
    for first, last, fields in rows:
        row = len(records) + len(faults)
        fault = _fault(first, last, fields, names, row, text)
        if fault:
            faults.append(fault)
        else:
            records.append(Record(dict(zip(names, fields, strict=True)), text.place(first), row))
    return Records(tuple(records), text.name, tuple(names), tuple(faults), is_text=True)


def sniff(text: Text, delimiters: str) -> str:
    """Return the delimiter that cuts the first row into most fields; the first candidate where none does."""
    widths = {}
    for delimiter in delimiters:
        _, _, fields = next(parse(text.lines, delimiter), (0, 0, ""))
        widths[delimiter] = 0 if isinstance(fields, str) else len(fields)
    return max(delimiters, key=lambda delimiter: widths[delimiter])


def parse(lines: Sequence[str], delimiter: str, quoting: int = csv.QUOTE_MINIMAL) -> Iterator[Row]:
    """Cut lines into rows. After a row that cannot be cut, go on with the line after its first.

    :yields: first and last line of the row, from 1, and its fields, or the csv module's complaint.
    """
    feed = _Feed(lines)
    reader = csv.reader(feed, delimiter=delimiter, quoting=quoting, strict=True)  # type: ignore[arg-type]
    while feed.position < len(lines):
        first = feed.position
        before = csv.field_size_limit(
            _LONGEST_FIELD
        )  # the limit belongs to the process: put back before anyone sees
        try:
            fields: list[str] | str = next(reader, [])
        except csv.Error as error:
            fields, feed.position = str(error), first + 1
        finally:
            csv.field_size_limit(before)
        if fields:
            yield first + 1, feed.position, fields


class _Feed:
    """The lines as the csv module pulls them, one at a time; its position can be put back."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.position = 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self.position >= len(self.lines):
            raise StopIteration
        self.position += 1
        return self.lines[self.position - 1]


def _is_quoted(text: Text) -> bool:
    """Return whether a TSV file quotes as CSV does; many do not, and hold texts that begin with a quote."""
    for _, _, fields in parse(text.lines, "\t"):
        if isinstance(fields, str) or any("\t" in field and "\n" in field for field in fields):
            return False
    return True


def _header(row: Row | None, text: Text) -> list[str]:
    """Return the column names of the first row, without the spaces around them.

    :raises DataError: when the row is damaged, or looks like data.
    """
    remedy = "put the column names into the first line, such as text,label."
    if row is None:
        raise DataError("the file has no header line.", where=text.name, do=remedy)
    first, last, fields = row
    if isinstance(fields, str):
        raise DataError(f"the header cannot be read: {fields}.", where=text.place(first), do=remedy)
    if bad := [text.bad_bytes[line] for line in range(first, last + 1) if line in text.bad_bytes]:
        raise DataError(f"invalid UTF-8 at byte {bad[0]:,}.", where=text.place(first), do=REMEDY_ENCODING)
    return [name.strip() for name in fields]


def _check_names(names: Sequence[str], text: Text) -> None:
    """Refuse names that are missing, double, or no names.

    :raises DataError: naming the first of them.
    """
    where = text.place(1)
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise DataError(
            f"two columns are named {twice[0]!r}.", where=where, do="give each column its own name."
        )
    if not any(names) or all(_is_number(name) for name in names):
        do = "put the column names into the first line, such as text,label."
        raise DataError("the header is missing: the first line names no columns.", where=where, do=do)


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _fault(
    first: int, last: int, fields: list[str] | str, names: Sequence[str], row: int, text: Text
) -> Fault | None:
    """Return what is wrong with a row, if anything: its quotes, its encoding, its number of fields."""
    where = text.place(first)
    if isinstance(fields, str):
        do = 'a quoted field ends with a quote, and a quote inside it is written twice: "say ""hi""".'
        return Fault(_complaint(fields), row, where, do=do)
    for line in range(first, last + 1):
        if line in text.bad_bytes:
            column = next(
                (name for name, field in zip(names, fields, strict=False) if _has_escape(field)), ""
            )
            what = f"invalid UTF-8 at byte {text.bad_bytes[line]:,}"
            return Fault(what, row, text.place(line), column, do=REMEDY_ENCODING)
    if len(fields) != len(names):
        what = f"fields in the row: {len(fields)}, in the header: {len(names)}"
        column = names[len(fields)] if len(fields) < len(names) else ""
        do = "put quotes around a text that contains the delimiter." if not column else "complete the row."
        return Fault(what, row, where, column, do=do)
    return None


def _complaint(message: str) -> str:
    """Say in our words what the csv module found."""
    if "unexpected end of data" in message:
        return "a quote is opened here and never closed"
    return f"the quotes of this row do not match ({message})"


def _has_escape(field: str) -> bool:
    """Return whether a field holds a byte that was no UTF-8 (PEP 383)."""
    return any("\udc80" <= character <= "\udcff" for character in field)
