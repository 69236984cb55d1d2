"""JSON Lines: one object per line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from functory.contracts.component import NoOptions
from functory.contracts.plain import finite
from functory.contracts.reader import Columns, DataReader, Recognition
from functory.data.faults import Fault
from functory.data.files import DataFile
from functory.data.records import Record
from functory.data.writing import Rows


class JSONLines(DataReader[NoOptions]):
    """JSON Lines: one object per line, whatever its fields."""

    endings = (".jsonl", ".ndjson")
    writes: ClassVar[Columns] = "values"
    examples = ("functory build --task ner --train names.jsonl",)

    def recognise(self, file: DataFile) -> Recognition:
        """By the name; without a telling one, by an object that is the whole first line."""
        if file.is_folder or file.ending in (".csv", ".tsv", ".tab"):
            return "no"
        line = next((line for line in file.head_lines if line.strip()), "").lstrip()
        if file.ending in self.endings:
            return "no" if line.startswith("[") and line[1:].lstrip()[:1] in ("{", "") else "fits"
        return "fits" if line.startswith("{") and _is_object(line) and not is_lone_object(file) else "no"

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        """Yield one row a line; blank lines are passed over."""
        for number, line in enumerate(file.lines(), 1):
            if line.strip("\ufeff \t\r\n"):
                yield _read_line(line, number, file)

    def write(self, path: Path, rows: Rows) -> None:
        """Write an object a line; what JSON does not know, such as a date, as its text."""
        with path.open("w", encoding="utf-8", newline="") as file:
            for row in rows:
                file.write(json.dumps(finite(dict(row)), ensure_ascii=False, default=str) + "\n")


def _read_line(line: str, number: int, file: DataFile) -> Record | Fault:
    """Read one line."""
    where = file.place(number)
    if number in file.bad:
        return Fault(file.complaint(number), 0, where, do=file.remedy)
    try:
        values = json.loads(line.rstrip().removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        what = f"no valid JSON: {error.msg[0].lower()}{error.msg[1:]}"
        return Fault(what, 0, f"{where}, character {error.colno}", do="each line is one JSON object.")
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; endless brackets
        return Fault(f"no usable JSON: {error}", 0, where, do="each line is one JSON object.")
    if not isinstance(values, dict):
        what = f"the line is a JSON {kind_of(values)}, not an object"
        return Fault(what, 0, where, do='write {"column": value, …} on each line.')
    return Record(values, where)


def kind_of(value: object) -> str:
    """Return JSON's own word for a value's type."""
    if isinstance(value, list):
        return "list"
    if isinstance(value, str):
        return "string"
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else json.dumps(value)


def is_lone_object(file: DataFile) -> bool:
    """Return whether a .json file is one object on one line that holds the rows, or begins with a line beyond all bounds."""
    lines = [line for line in file.head_lines if line.strip()]
    if file.ending != ".json" or len(lines) != 1 or not lines[0].lstrip().startswith("{"):
        return False
    try:
        found = json.loads(lines[0])
    except ValueError:
        return not lines[0].endswith("\n")
    return any(isinstance(value, list) and value and isinstance(value[0], dict) for value in found.values())


def _is_object(line: str) -> bool:
    """Return whether a line is one whole object; the end of a very long one may not be at hand."""
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return not line.endswith("\n")
