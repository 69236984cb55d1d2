"""Lines of CSV and TSV to rows of fields, one row at a time; what the csv module cannot cut is one row, not the rest."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

_LONGEST_FIELD = 2**31 - 1  # the csv module's own limit of 131,072 characters refuses long documents
_LONGEST_ROW = 1 << 26  # characters: a quote that is still open then was never meant to close
_UNCLOSED = "unexpected end of data"
LONE_RETURN = "new-line character seen in unquoted field"
NUL = "the row holds NUL bytes"
SAMPLED = 100  # rows of the head that decide


class Dialect(NamedTuple):
    """How rows are written."""

    delimiter: str
    quoting: int = csv.QUOTE_MINIMAL
    skips_space: bool = False
    """Whether a space stands between the delimiter and a quote, and does not count."""


class Cut(NamedTuple):
    """A row: its first and last line, from 1, and its fields, or what the csv module says of it."""

    first: int
    last: int
    fields: list[str]
    complaint: str = ""


def dialect_of(lines: Sequence[str], delimiters: str) -> Dialect:
    """Return how a file's rows are written, by its first lines.

    The delimiter is the one that cuts most rows into as many fields as the first, of which there are two at least.

    :param delimiters: the candidates, most usual first.
    """
    cut = {delimiter: sampled(lines, Dialect(delimiter)) for delimiter in delimiters}

    def fitness(delimiter: str) -> tuple[bool, float, int]:
        rows = cut[delimiter]
        width = len(rows[0]) if rows else 0
        return width > 1, sum(len(row) == width for row in rows) / max(1, len(rows)), width

    best = max(delimiters, key=fitness)
    if best == "\t" and not _is_quoted(lines):
        return Dialect(best, csv.QUOTE_NONE)
    spaced = Dialect(best, skips_space=True)
    skips = any(map(_has_space_before_quote, cut[best])) and _evenness(sampled(lines, spaced)) >= _evenness(cut[best])
    return spaced if skips else Dialect(best)


def sampled(lines: Sequence[str], dialect: Dialect) -> list[list[str]]:
    """Return the first rows of a file; one that is cut off is let pass."""
    rows: list[list[str]] = []
    reader = _reader(iter(lines), dialect, strict=False)
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) == SAMPLED:
                break
    except csv.Error:
        pass
    finally:
        csv.field_size_limit(before)
    return rows


class Cutter:
    """Cuts lines into rows. After a row that cannot be cut, it goes on with the line after the row's first."""

    def __init__(self, lines: Iterable[str], dialect: Dialect) -> None:
        self._lines = iter(lines)
        self._dialect = dialect
        self._back: deque[str] = deque()  # lines that were taken for a row, and were none of it
        self._taken: list[str] = []  # the lines of the row under way
        self._size = 0
        self._width, self._header = 0, ""  # fields of the first row, and its first line
        self._has_nul = False  # in the row under way

    def __iter__(self) -> Cutter:
        return self

    def __next__(self) -> str:
        """Give the csv module its next line."""
        line = self._back.popleft() if self._back else next(self._lines)
        if self._taken:
            self._size += len(line)
            if self._size > _LONGEST_ROW:
                self._back.appendleft(line)
                raise csv.Error(_UNCLOSED)
        elif line[:1] == "\ufeff" and (line[1:2] == '"' or line[1:] == self._header):
            line = line[1:]  # the mark of a file that was appended to another
        self._header = self._header or line
        self._has_nul = self._has_nul or "\0" in line
        self._taken.append(line)
        return line

    def rows(self, first: int = 1) -> Iterator[Cut]:
        """Yield the rows; blank lines are passed over.

        :param first: the number of the first line.
        """
        reader = _reader(self, self._dialect)
        while True:
            self._taken, self._size, self._has_nul, complaint = [], 0, False, ""
            before = csv.field_size_limit(_LONGEST_FIELD)  # it belongs to the process: put back before anyone sees
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                fields, complaint = [], str(error)
            finally:
                csv.field_size_limit(before)
            last = first + len(self._taken) - 1
            cuts = self._mended(Cut(first, last, fields, complaint))
            yield from cuts
            first = cuts[-1].last + 1 if cuts else last + 1

    def _mended(self, cut: Cut) -> list[Cut]:
        """Return what a row is by a second look; none for a blank line. Lines that are none of it are put back."""
        if not cut.fields and not cut.complaint:
            return []
        self._width = self._width or len(cut.fields)
        line = self._taken[0]
        if self._has_nul and not cut.complaint:
            return [cut._replace(complaint=NUL)]
        if not cut.complaint and len(cut.fields) == self._width and ' "' not in line and "\t" not in line:
            return [cut]
        if self._dialect.delimiter == "\t" and (cut.complaint or _swallowed(cut.fields)):
            plain = line.rstrip("\r\n").split("\t")
            if len(plain) == self._width or not (cut.complaint or len(cut.fields) == self._width):
                return [self._only_first(cut._replace(fields=plain, complaint=""))]
        if cut.complaint.startswith(LONE_RETURN) and (rows := self._of_returns(line)):
            return [self._only_first(cut._replace(fields=row, complaint="")) for row in rows]
        if (cut.complaint or _has_space_before_quote(cut.fields)) and not self._dialect.skips_space:
            spaced = sampled(self._taken, self._dialect._replace(skips_space=True))
            if len(spaced) == 1 and len(spaced[0]) == self._width:
                return [cut._replace(fields=spaced[0], complaint="")] if not cut.complaint else [self._only_first(cut)]
        return [self._only_first(cut)] if cut.complaint else [cut]

    def _only_first(self, cut: Cut) -> Cut:
        """Return a row as one line, and put the others back."""
        self._back.extendleft(reversed(self._taken[1:]))
        del self._taken[1:]
        return cut._replace(last=cut.first)

    def _of_returns(self, line: str) -> list[list[str]]:
        """Return the rows of a line in which carriage returns end rows: where each part is as wide as the first row."""
        parts = [sampled([part], self._dialect) for part in line.rstrip("\r\n").split("\r") if part.strip()]
        fits = self._width > 1 and all(len(rows) == 1 and len(rows[0]) == self._width for rows in parts)
        return [rows[0] for rows in parts] if fits else []


def _reader(lines: Iterator[str], dialect: Dialect, strict: bool = True) -> Iterator[list[str]]:
    return csv.reader(
        lines, delimiter=dialect.delimiter, quoting=dialect.quoting, skipinitialspace=dialect.skips_space, strict=strict,  # type: ignore[arg-type]
    )  # fmt: skip


def _is_quoted(lines: Sequence[str]) -> bool:
    """Return whether a TSV file quotes as CSV does; many do not, and hold texts that begin with a quote.

    Where a quote would hold tabs and ends of lines, or does not end, the reading that makes rows more even is right.
    """
    rows: list[list[str]] = []
    try:
        for row in _reader(iter(lines), Dialect("\t")):
            rows += [row] if row else []
        if not any(map(_swallowed, rows)):
            return True
    except csv.Error as error:
        if not str(error).startswith(_UNCLOSED):
            return False
    return _evenness(rows) > _evenness([line.rstrip("\r\n").split("\t") for line in lines if line.strip("\r\n")])


def _swallowed(fields: Sequence[str]) -> bool:
    """Return whether a field of TSV holds what ends fields and rows: its quote was none."""
    return any("\t" in field and "\n" in field for field in fields)


def _has_space_before_quote(fields: Sequence[str]) -> bool:
    return any(field[:1] == " " and field.lstrip(" ")[:1] == '"' for field in fields)


def _evenness(rows: Sequence[Sequence[str]]) -> float:
    """Return the share of the rows that are as wide as the first."""
    return sum(len(row) == len(rows[0]) for row in rows) / max(1, len(rows))
