"""Plain text: one text per line. Not by the name ``.txt``: a table without a telling name is lines, too."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from functory.contracts.component import Options
from functory.contracts.reader import DataReader
from functory.data.faults import Fault
from functory.data.files import DataFile
from functory.data.records import Record


class TextLinesOptions(Options):
    """What the lines are called."""

    field: str = Field("text", min_length=1, description="The column that each line becomes.")


class TextLines(DataReader[TextLinesOptions]):
    """Plain text, one text per line: corpora whose lines say all that there is to learn, or texts to go through."""

    endings = (".lines", ".utf8")
    examples = (
        "functory build --task tagging --set task.mode=words --train msr_training.utf8 --backbone e5",
        "functory run sentiment --input reviews.txt --format lines",
    )

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        """Yield one row a line; blank lines are passed over."""
        for number, line in enumerate(file.lines(), 1):
            text = line.strip("\ufeff\r\n")
            if not text.strip():
                continue
            if number in file.bad:
                yield Fault(file.complaint(number), 0, file.place(number), do=file.remedy)
            else:
                yield Record({self.options.field: text}, file.place(number))
