"""What every reader owes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from functory.contracts.reader import DataReader
from functory.data import DataFile, Fault, Record, stream
from functory.data.writing import Rows
from functory.errors import DataError, NotSupported
from functory_sdk.testing.guarding import overridable
from functory_sdk.testing.suite import ComponentSuite

OTHERS = {
    "plain.csv": b"text,label\ngood,pos\nbad,neg\n",
    "plain.jsonl": b'{"text": "good", "label": "pos"}\n{"text": "bad", "label": "neg"}\n',
    "plain.json": b'[{"text": "good", "label": "pos"}]',
    "prose.txt": b"Once upon a time there was a file.\n\nIt held two paragraphs, and no table.\n",
    "empty": b"",
    "nulls.bin": bytes(256) * 4,
    "bytes.bin": bytes(range(256)) * 4,
}
"""Files that are no reader's own beyond their general form."""

WRITTEN: Sequence[Mapping[str, Any]] = (
    {"text": 'a "b", c;\td | 电影', "number": 1.5},
    {"text": "two\nlines", "number": -2.0, "more": True},
    {"text": "", "more": False},
    {"text": "the last", "number": 0.25},
)
STRUCTURED: Sequence[Mapping[str, Any]] = ({"list": [1, 2], "object": {"a": "b"}},)
"""What is written, and what besides where columns hold lists and objects."""


class ReaderSuite(ComponentSuite):
    """Writes a file of the format, and reads it whole, in part and damaged.

    :cvar file_name: the name of such a file.
    :cvar content: its bytes; or override `write`.
    :cvar rows: what its rows hold.
    """

    kind: ClassVar[str] = "readers"
    file_name: ClassVar[str] = ""
    content: ClassVar[bytes] = b""
    rows: ClassVar[Sequence[Mapping[str, Any]]] = ()

    @overridable
    def write(self, folder: Path) -> Path:
        """Write a file, or a folder, of the format."""
        assert self.file_name and self.content, "set file_name and content, or override write."
        path = folder / self.file_name
        path.write_bytes(self.content)
        return path

    def read(self, path: Path) -> Iterator[Record | Fault]:
        """Return what the reader gives for a file, whoever would recognise it."""
        made: DataReader[Any] = self.configured()
        found: Iterator[Record | Fault] = made.read(DataFile(path))
        return found

    def test_it_is_a_reader_with_endings_as_names_have_them(self) -> None:
        """The class derives from the contract; its endings are written in small letters, with their dot.

        If this fails: derive it from `functory_sdk.DataReader`; write endings as (".conll", ".iob").
        """
        assert issubclass(self.load(), DataReader)
        for ending in self.load().endings:
            assert ending.startswith(".") and ending == ending.lower() and "." not in ending[1:], f"no ending: {ending!r}"

    def test_its_own_file_is_recognised(self, tmp_path: Path) -> None:
        """Without ``--format``, functory reads the file with this reader, and no other claims it as well.

        If this fails: say "certain" in `recognise` where the first bytes show what only this format has.
        """
        expected = [dict(row) for row in self.rows]
        assert expected, "say what the rows hold: rows = (…)."
        found = [dict(row.values) for row in stream(self.write(tmp_path)) if isinstance(row, Record)]
        assert found[: len(expected)] == expected, f"another reader gives {found[: len(expected)]!r}."

    def test_it_claims_no_file_of_others(self, tmp_path: Path) -> None:
        """It is certain of none of the files that are plain tables, prose or noise, and `recognise` raises for none.

        If this fails: look for more than an opening bracket or a column's name; look at `file.is_folder` and empty heads.
        """
        reader = self.configured()
        assert reader.recognise(DataFile(tmp_path)) != "certain", "it takes any folder for its own."
        for name, content in OTHERS.items():
            (tmp_path / name).write_bytes(content)
            answer = reader.recognise(DataFile(tmp_path / name))
            assert answer in ("no", "fits"), f"it says {answer!r} of {name}."

    def test_it_gives_the_rows_with_their_places(self, tmp_path: Path) -> None:
        """Each row holds what the file says, and its place names the file.

        If this fails: yield `Record(values, file.place(line))`; and in the place of a bad row, a `Fault`.
        """
        path = self.write(tmp_path)
        found = list(self.read(path))
        assert [row.values for row in found if isinstance(row, Record)][: len(self.rows)] == [dict(row) for row in self.rows]
        for row in self.each(found):
            assert path.name in row.where, f"the place {row.where!r} does not name the file {path.name}."

    def test_rows_come_one_at_a_time(self, tmp_path: Path) -> None:
        """Reading is lazy: rows are handed on as they come, and nobody holds them all.

        If this fails: yield the rows; collect them in no list.
        """
        found = self.read(self.write(tmp_path))
        assert iter(found) is found, f"read gives a {type(found).__name__}, not an iterator."

    def test_two_readings_give_the_same_rows(self, tmp_path: Path) -> None:
        """Nothing of a file is left in the reader when the next begins.

        If this fails: keep what belongs to one file inside `read`.
        """
        path, reader = self.write(tmp_path), self.configured()
        first, second = ([str(row) for row in reader.read(DataFile(path))] for _ in range(2))
        assert first == second, "two readings give different rows."

    def test_what_it_writes_it_reads_again(self, tmp_path: Path) -> None:
        """Rows that were written are the same when they are read, in their order, whatever else is in their texts; a reader that
        only reads says so by name.

        If this fails: write every row and each of its columns; set `writes` to "cells" where a column holds texts alone.
        """
        reader, ending = self.configured(), next(iter(self.load().endings), "")
        path, rows = tmp_path / f"written{ending}", [*WRITTEN, *(STRUCTURED if self.load().writes == "values" else ())]
        columns = tuple(dict.fromkeys(name for row in rows for name in row))
        if not reader.writes:
            with pytest.raises(NotSupported):
                reader.write(path, Rows(ending, columns, lambda: iter(rows)))
            return
        reader.write(path, Rows(ending, columns, lambda: iter(rows)))
        found = [_said(row.values) for row in self.read(path) if isinstance(row, Record)]
        wanted = [_said(row) for row in rows]
        if reader.writes == "cells":
            wanted = [{name: _in_cell(one) for name, one in row.items()} for row in wanted]
        assert found == wanted, f"other rows come back: {found!r}."

    def test_a_damaged_file_is_told_as_such(self, tmp_path: Path) -> None:
        """A file that is cut off, or in which bytes were changed, gives faults or a `DataError`, never another exception.

        If this fails: check what you take from the file, and raise `DataError` or yield a `Fault` with its place.
        """
        path = self.write(tmp_path)
        for damaged in sorted(path.rglob("*")) if path.is_dir() else [path]:
            whole = damaged.read_bytes() if damaged.is_file() else b""
            for content in self.each(_damaged(whole)):
                damaged.write_bytes(content)
                try:
                    for row in self.read(path):
                        assert isinstance(row, (Record, Fault)), f"it gives a {type(row).__name__}."
                except DataError as error:
                    assert error.where or error.do, f"this says neither where nor what to do: {error.what}"
            if whole:
                damaged.write_bytes(whole)


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row says: an empty column is none."""
    return {name: value for name, value in row.items() if value is not None and value != ""}


def _in_cell(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _damaged(content: bytes) -> Iterator[bytes]:
    """Yield bytes that are cut off, and bytes of which some are others."""
    steps = max(1, len(content) // 12)
    for place in range(0, len(content), steps):
        yield content[:place]
        yield content[:place] + b"\xff\x00{" + content[place + 3 :]
