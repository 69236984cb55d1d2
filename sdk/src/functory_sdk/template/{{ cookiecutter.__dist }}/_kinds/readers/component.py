"""The contract: the lines of one format, as records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from functory_sdk import DataFile, DataReader, Fault, NoOptions, Record


class {{ cookiecutter.__class }}(DataReader[NoOptions]):
    """Files with a label, a bar and a text on each line."""

    endings: ClassVar[tuple[str, ...]] = (".{{ cookiecutter.__entry }}",)

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        for number, line in enumerate(file.lines(), 1):
            label, bar, text = line.rstrip("\r\n").partition("|")
            if number in file.bad:
                yield Fault(file.complaint(number), 0, file.place(number), do=file.remedy)
            elif bar:
                yield Record({"label": label, "text": text}, file.place(number))
            else:
                yield Fault("the line has no bar", 0, file.place(number), do="write label|text.")
