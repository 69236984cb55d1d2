"""JSON lists of objects, read one object at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import Field

from functory.contracts.component import Options
from functory.contracts.reader import DataReader, Recognition
from functory.data.faults import Fault
from functory.data.files import DataFile
from functory.data.jsonlines import is_lone_object, kind_of
from functory.data.records import Record
from functory.errors import DataError

_CHUNK = 1 << 16
_SPACE = " \t\r\n"
_ONLY_LISTS = 'write [{"column": value, …}, …], or one object per line.'


class JSONListOptions(Options):
    """Where the rows are."""

    at: str = Field("", description="The key, or keys with dots between them, under which the list stands: data.rows.")


class JSONList(DataReader[JSONListOptions]):
    """One JSON list of objects, or an object that holds such a list."""

    endings = (".json",)
    examples = ("functory build --task text-classification --train reviews.json",)

    def recognise(self, file: DataFile) -> Recognition:
        """By its first bytes: a list whose first member is an object; by its name, an object over many lines."""
        if file.is_folder:
            return "no"
        text = "".join(file.head_lines[:50]).lstrip()
        if text.startswith("[") and text[1:].lstrip()[:1] in ("{", "]", ""):
            return "fits"
        first, newline, _ = text.partition("\n")
        is_object = text.startswith("{") and ((newline and not _is_whole(first)) or is_lone_object(file))
        return "fits" if file.ending in self.endings and (is_object or not text.startswith("{")) else "no"

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        for number, (line, value) in enumerate(json_members(file, self.options.at), 1):
            where = f"{file.name}, item {number:,} (line {line:,})"
            if isinstance(value, dict):
                yield Record(value, where)
            else:
                what = f"the item is a JSON {kind_of(value)}, not an object"
                yield Fault(what, 0, where, do='write {"column": value, …} for each row.')


def json_members(file: DataFile, at: str = "") -> Iterator[tuple[int, Any]]:  # Any: JSON
    """Yield the members of a file's list, each with its line.

    :param at: the keys under which the list stands, where the file is an object; such a file is read whole.
    :raises DataError: when the file is no such list, naming line and column; when it is an object, naming its keys.
    """
    text = _Text(file)
    start = text.peek()
    if start == "[" and not at:
        yield from text.members()
    else:
        yield from ((1, member) for member in _under(text.whole(), at, file))


def _under(whole: Any, at: str, file: DataFile) -> list[Any]:  # Any: JSON
    """Return the list that stands under some keys of an object.

    :raises DataError: when there is none.
    """
    value = whole
    for key in filter(None, at.split(".")):
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list):
        return value
    if not isinstance(whole, dict):
        raise DataError(f"the file is a JSON {kind_of(whole)}, not a list.", where=file.name, do=_ONLY_LISTS)
    lists = [key for key, inner in whole.items() if isinstance(inner, list)]
    what = f"there is no list under {at!r}" if at else "the file is one JSON object, not a list"
    keys = ", ".join(map(repr, list(whole)[:8]))
    if len(lists) > 1 and all(not isinstance(member, dict) for key in lists for member in whole[key][:1]):
        do = 'it holds columns: write rows, in pandas: frame.to_json(FILE, orient="records", lines=True).'
    elif lists:
        do = f"name the list of rows: --read at={lists[0]}."
    else:
        do = _ONLY_LISTS
    raise DataError(f"{what}; its keys: {keys}.", where=file.name, do=do)


def _is_whole(line: str) -> bool:
    """Return whether a line is a JSON value of its own."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


class _Text:
    """A file's text as JSON is taken from it: a part of it at a time."""

    def __init__(self, file: DataFile) -> None:
        self._file, self._stream = file, file.text()
        self._text, self._place, self._line, self._column = "", 0, 1, 1
        self._decode = json.JSONDecoder().raw_decode
        self._is_end = False

    def peek(self) -> str:
        """Return the next character that is no white space, which stays; empty at the end."""
        while True:
            while self._place < len(self._text) and self._text[self._place] in _SPACE:
                self._step(1)
            if self._place < len(self._text) or not self._more():
                return self._text[self._place : self._place + 1]

    def members(self) -> Iterator[tuple[int, Any]]:
        """Yield the members of the list that begins here."""
        self._step(1)
        if self.peek() == "]":
            return
        while True:
            self.peek()
            yield self._line, self._value()
            if (sign := self.peek()) not in (",", "]") or not sign:
                raise self._broken("a comma or the end of the list should stand here")
            self._step(1)
            if sign == "]":
                return

    def whole(self) -> Any:  # Any: JSON
        """Return the one value that the file is."""
        value = self._value()
        if self.peek():
            raise self._broken("the file goes on after its end")
        return value

    def _value(self) -> Any:  # Any: JSON
        """Return the value that begins here, reading on until it is whole."""
        size = _CHUNK
        while True:
            try:
                value, end = self._decode(self._text, self._place)
            except RecursionError:
                raise self._broken("lists in lists without end") from None
            except ValueError as error:
                if self._more(size):
                    size *= 2
                    continue
                if isinstance(error, json.JSONDecodeError):
                    self._step(error.pos - self._place)
                    raise self._broken(f"{error.msg[0].lower()}{error.msg[1:]}") from None
                raise self._broken(str(error)) from None
            if end < len(self._text) or not self._more(size):  # a number may go on
                self._step(end - self._place)
                return value

    def _step(self, count: int) -> None:
        """Go on by some characters."""
        passed = self._text[self._place : self._place + count]
        self._place += count
        lines = passed.count("\n")
        self._line += lines
        self._column = len(passed) - passed.rfind("\n") if lines else self._column + count

    def _more(self, size: int = _CHUNK) -> bool:
        """Read on; what was taken is let go. Return whether there was more."""
        more = "" if self._is_end else self._stream.read(size)
        self._is_end = not more
        if more:
            self._text, self._place = self._text[self._place :] + more, 0
        return bool(more)

    def _broken(self, what: str) -> DataError:
        where = f"{self._file.place(self._line)}, character {self._column}"
        return DataError(f"no valid JSON: {what}.", where=where, do="correct it there; python -m json.tool FILE checks it.")
