r"""The contract of readers: a file of some format → its rows, handed on one at a time.

Named by ``--format NAME``, or recognised by a file's name and first bytes. A complete plugin, for files in which each line
holds a label, a bar and a text::

    class Bars(DataReader[NoOptions]):
        "Files with a label, a bar and a text on each line."

        endings = (".bars",)

        def read(self, file: DataFile) -> Iterator[Record | Fault]:
            for number, line in enumerate(file.lines(), 1):
                label, bar, text = line.rstrip("\r\n").partition("|")
                if bar:
                    yield Record({"label": label, "text": text}, file.place(number))
                else:
                    yield Fault("the line has no bar", 0, file.place(number), do="write label|text.")
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from functory.contracts.component import Component, O
from functory.errors import NotSupported

if TYPE_CHECKING:
    from functory.data.faults import Fault
    from functory.data.files import DataFile
    from functory.data.records import Record
    from functory.data.writing import Rows

Recognition = Literal["no", "fits", "certain"]
"""Whether a reader takes a file for one of its own: by its name or its general form, or by what only its format has."""


Columns = Literal["", "cells", "values"]
"""What stands in a column that is written: texts, numbers and truth values alone, or objects and lists too."""


class DataReader(Component[O]):
    """Reads files of one format, and may write them."""

    kind: ClassVar[str] = "readers"
    endings: ClassVar[tuple[str, ...]] = ()
    """How the names of its files end: ``.csv``. The ending of a packing, such as .gz, is taken off before."""
    writes: ClassVar[Columns] = ""
    """Whether it writes such files too, and what a column of them holds."""

    def recognise(self, file: DataFile) -> Recognition:
        """Say whether a file is one of these, by its name and its first bytes alone: `file.ending`, `file.head`.

        A reader that is certain goes before those that fit; two that are equally sure are an error that asks the user.
        """
        return "fits" if file.ending in self.endings and not file.is_folder else "no"

    @abstractmethod
    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        """Yield each row as it comes, in one pass, and a fault in the place of each that cannot be read.

        Rows are numbered by the caller. What a person should know besides goes into `file.notes`.

        :raises DataError: when the file as a whole cannot be read.
        """

    def write(self, path: Path, rows: Rows) -> None:
        """Write rows to a file, which is put into its place when it is whole. They may be gone through more than once, and are
        never held all together. What the format has no room for is told by an error, or written as its JSON.

        :raises NotSupported: by readers that only read.
        """
        raise NotSupported(f"the reader {type(self).__name__} writes no files.", do="name another file: .csv, .jsonl.")
