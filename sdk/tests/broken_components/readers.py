"""Readers that are each wrong in one way: what the suite must find. Not a plugin."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from functory.contracts.reader import Recognition
from functory_sdk import Columns, DataFile, DataReader, Fault, NoOptions, Record, Rows

counter = itertools.count(1)


class Sound(DataReader[NoOptions]):
    """Reads lines of a label, a bar and a text."""

    endings: ClassVar[tuple[str, ...]] = (".bars",)

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        for number, line in enumerate(file.lines(), 1):
            label, _, text = line.rstrip("\n").partition("|")
            yield Record({"label": label, "text": text}, file.place(number))


class Dotless(Sound):
    """Has an ending without its dot."""

    endings: ClassVar[tuple[str, ...]] = ("bars",)


class Unrecognising(Sound):
    """Recognises nothing."""

    endings: ClassVar[tuple[str, ...]] = ()


class Greedy(Sound):
    """Takes every file for its own."""

    def recognise(self, file: DataFile) -> Recognition:
        return "certain"


class Placeless(Sound):
    """Does not say where a row is."""

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        for row in super().read(file):
            yield Record(row.values, "somewhere") if isinstance(row, Record) else row


class Hoarding(Sound):
    """Holds all rows."""

    def read(self, file: DataFile) -> Any:
        return list(super().read(file))


class Changing(Sound):
    """Gives other rows each time."""

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        yield Record({"label": str(next(counter))}, file.place(1))


class Forgetful(Sound):
    """Writes what fits on a line of its own, and forgets the rest."""

    writes: ClassVar[Columns] = "cells"

    def write(self, path: Path, rows: Rows) -> None:
        path.write_text("".join(f"{row.get('label', '')}|{row.get('text', '')}\n" for row in rows), encoding="utf-8")


class Trusting(Sound):
    """Takes for granted that each line has a bar."""

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        for number, line in enumerate(file.lines(), 1):
            label, text = line.rstrip("\n").split("|")
            yield Record({"label": label, "text": text}, file.place(number))
