"""JSON Lines: one object per line."""

from __future__ import annotations

import json

from functory.data.faults import Fault
from functory.data.files import REMEDY_ENCODING, Text
from functory.data.records import Record, Records, columns_of
from functory.errors import DataError


def read_json_lines(text: Text) -> Records:
    """Read one object per line; blank lines are passed over, other faulty ones kept as faults.

    :raises DataError: when the file is one JSON list.
    """
    if text.lines[0].lstrip().startswith("["):
        raise DataError(
            "the file is one JSON list, not JSON Lines.",
            where=text.place(1),
            do=f"write one object per line: jq -c '.[]' {text.name} > examples.jsonl",
        )
    records: list[Record] = []
    faults: list[Fault] = []
    for number, line in enumerate(text.lines, 1):
        if not line.strip():
            continue
        read = _read_line(line, number, len(records) + len(faults), text)
        if isinstance(read, Fault):
            faults.append(read)
        else:
            records.append(read)
    return Records(tuple(records), text.name, columns_of(records), tuple(faults))


def _read_line(line: str, number: int, row: int, text: Text) -> Record | Fault:
    """Read one line."""
    where = text.place(number)
    if number in text.bad_bytes:
        return Fault(f"invalid UTF-8 at byte {text.bad_bytes[number]:,}", row, where, do=REMEDY_ENCODING)
    try:
        values = json.loads(line.rstrip())
    except json.JSONDecodeError as error:
        what = f"no valid JSON: {error.msg[0].lower()}{error.msg[1:]}"
        return Fault(what, row, f"{where}, character {error.colno}", do="each line is one JSON object.")
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; endless brackets
        return Fault(f"no usable JSON: {error}", row, where, do="each line is one JSON object.")
    if not isinstance(values, dict):
        what = f"the line is a JSON {_kind(values)}, not an object"
        return Fault(what, row, where, do='write {"column": value, …} on each line.')
    return Record(values, where, row)


def _kind(value: object) -> str:
    """Return JSON's own word for a value's type."""
    if isinstance(value, list):
        return "list"
    if isinstance(value, str):
        return "string"
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else json.dumps(value)
