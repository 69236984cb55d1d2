"""What `run` runs on: arguments, the lines of stdin, or the rows of a file, each with its number and its place."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from functory.cli.options import data, pairs, reading
from functory.cli.output import say
from functory.cli.written import fields
from functory.errors import DataError, FunctoryError, UsageError
from functory.running.answers import Question

if TYPE_CHECKING:
    from functory.data.columns import Column
    from functory.function import Function

AT_ONCE = 256
"""Rows of a file that are answered together: enough to sort by length, few enough to see that something happens."""
MOST = 1024
"""Lines of stdin that are answered together, where so many are there."""


def from_arguments(function: Function, texts: Sequence[str]) -> list[Question]:
    """Return the inputs that a command line spells: each text is one, or all together are where an input has several fields.

    :raises UsageError: when they are too few or too many for one.
    """
    names = function.task.shorthand
    rows = [[text] for text in texts] if len(names) == 1 else [list(texts)]
    needed = [name for name in names if function.task.Input.model_fields[name].is_required()]
    if len(names) > 1 and not len(needed) <= len(texts) <= len(names):
        from functory.data.validation import structured_fields

        lists = structured_fields(function.task.Input)
        wanted = " ".join(f"'[\"{name}\", …]'" if name in lists else f'"{name}"' for name in names)
        raise UsageError(
            f"{function.name} takes {len(names)} texts as one input ({', '.join(names)}); {len(texts)} "
            f"{'was' if len(texts) == 1 else 'were'} given.",
            do=f"write functory run {quote(function.name)} {wanted} for one input; for many, give JSON Lines on stdin or a file "
            "with --data, with a column for each.",
        )
    return [
        _read(function, number, f"input {number}", fields(function.task, row))
        for number, row in enumerate(rows, 1)
    ]


def from_lines(function: Function, args: Namespace) -> Iterator[list[Question]]:
    """Give the lines of stdin as they come: a text each, or where an input has several fields a JSON object each."""
    from functory.running.arriving import arriving, lines_of

    check_stdin(args)
    is_json = _is_json(function, args)
    if sys.stdin.isatty():
        kind = f"JSON object with {', '.join(function.task.shorthand)}" if is_json else "text"
        say(f"reading from the terminal, one {kind} a line; Ctrl-D ends it", sys.stderr)
    read = _JsonLines(function, args) if is_json else _text
    for lines in arriving(enumerate(lines_of(sys.stdin, args.encoding or ""), 1), MOST):
        number, first = lines[0]
        if number == 1 and not is_json and _names_a_field(function, first):
            say("note: line 1 is a JSON object, and is read as a text; --format jsonl reads its fields.", sys.stderr)
        yield [_line(function, read, number, line) for number, line in lines]


def check_stdin(args: Namespace) -> None:
    """Refuse to read what cannot be read, or otherwise than it was asked for.

    :raises UsageError: where stdin is closed, or options say how a file is read.
    """
    if sys.stdin is None:  # as a daemon has it
        raise UsageError("there is nothing to run on: stdin is closed.", do="give texts, or --data.")
    if args.format not in (None, "jsonl") or args.read or args.no_header:
        do = "give it as a file: --data /dev/stdin, with the same options."
        raise UsageError("stdin is read line by line, and not by a reader of files.", do=do)


def from_data(function: Function, args: Namespace) -> tuple[Iterator[list[Question]], int | None]:
    """Return the rows of a file or a sample, in lists, and how many there are.

    What can be read twice is looked through first, so that nothing is computed where a row is bad and bad rows stop.

    :raises BadRows: for bad rows, where they stop.
    """
    total = None if any(map(_passes, args.data)) else _looked_through(function, args)
    return _lists(_questions(function, args)), total


def _passes(name: str) -> bool:
    """Return whether data are gone once they were read, as those of a pipe are."""
    path = Path(name).expanduser()
    return path.exists() and not path.is_file() and not path.is_dir()


def _looked_through(function: Function, args: Namespace) -> int:
    """Return how many rows there are.

    :raises BadRows: where one is bad and bad rows stop.
    """
    from functory.data.faults import Fault, settle

    faults, count = [], 0
    for found in _validated(function, args):
        count += 1
        if isinstance(found, Fault):
            faults.append(found)
    if faults and args.on_bad_row != "skip":
        settle(faults, count - len(faults), ", ".join(args.data), "stop")
    return count


def _questions(function: Function, args: Namespace) -> Iterator[Question]:
    """Give each row of the data."""
    from functory.data.faults import Fault

    for number, found in enumerate(_validated(function, args), 1):
        if isinstance(found, Fault):
            error = DataError(f"{found.what}.", where=found.place, do=found.do)
            yield Question(number, found.where, error=error)
        else:
            record, value = found
            yield Question(number, record.where, record.values, value)


def _validated(function: Function, args: Namespace) -> Iterator[Any]:
    """Give each row with its input, or what is wrong with it."""
    from functory.data.examples import validated
    from functory.data.sources import stream

    said = reading(args)
    rows = stream(data(args.data), format=said.get("format"), encoding=said.get("encoding", ""))
    yield from validated(rows, function.task.Input, _columns(function), said.get("columns"),
                         gather=function.task.gathered)  # fmt: skip


def _columns(function: Function) -> dict[str, tuple[str, ...]]:
    """Return the names by which the columns of the input's fields are known."""
    task = function.task
    return {name: names for name, names in task.columns.items() if name in task.Input.model_fields}


def _lists(questions: Iterable[Question]) -> Iterator[list[Question]]:
    found = iter(questions)
    while taken := list(islice(found, AT_ONCE)):
        yield taken


def _is_json(function: Function, args: Namespace) -> bool:
    """Return whether lines of stdin are JSON: where a text alone is no input, or the format or a column is named."""
    return args.format == "jsonl" or bool(args.column) or len(function.task.shorthand) > 1


def _names_a_field(function: Function, line: str | DataError) -> bool:
    """Return whether a line is a JSON object with a column for the input's field, and so hardly meant as a text."""
    if isinstance(line, DataError) or not line.startswith("{"):
        return False
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        return False
    field = function.task.shorthand[0]
    return isinstance(given, dict) and not {field, *_columns(function).get(field, ())}.isdisjoint(given)


def _line(function: Function, read: Any, number: int, line: str | DataError) -> Question:
    """Return what one line asks."""
    where = f"stdin, line {number}"
    if isinstance(line, DataError):
        return Question(number, where, error=line.located(where))
    return read(function, number, where, line)  # type: ignore[no-any-return]


def _text(function: Function, number: int, where: str, line: str) -> Question:
    """Return a line that is a text."""
    return _read(function, number, where, {function.task.shorthand[0]: line})


class _JsonLines:
    """Reads lines that are JSON: an object with a column for each field, or a list of the fields in their order."""

    def __init__(self, function: Function, args: Namespace) -> None:
        self._mapping = pairs(args.column, "--column")
        self._known: dict[tuple[str, ...], dict[str, Column]] = {}

    def __call__(self, function: Function, number: int, where: str, line: str) -> Question:
        try:
            given = _fields(json.loads(line), function.task.shorthand)
        except (ValueError, RecursionError) as error:
            names = ", ".join(f'"{name}": "…"' for name in function.task.shorthand)
            problem = DataError(f"the line holds no JSON object of fields: {error}.", where=where, do=f"write {{{names}}}.")
            return Question(number, where, error=problem)
        return self._object(function, number, where, given)

    def _object(self, function: Function, number: int, where: str, given: dict[str, Any]) -> Question:
        from functory.data.columns import guess
        from functory.data.records import Record
        from functory.data.validation import validate

        task, columns = function.task, tuple(given)
        try:
            if columns not in self._known:
                self._known[columns] = guess(columns, task.Input, _columns(function), self._mapping, source=where)
            value = validate(Record(given, where, number - 1), task.Input, self._known[columns], set(), False,
                             task.gathered)  # fmt: skip
        except DataError as error:
            place = f"{where}, column {error.where!r}" if error.where and error.where != where else where
            return Question(number, where, given, error=DataError(f"{error.what.rstrip('.')}.", where=place, do=error.do))
        return Question(number, where, given, value)


def _fields(value: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return a JSON value as fields: an object as it is, a list or a text as the fields in their order.

    :raises ValueError: when it is nothing of the kind.
    """
    values = [value] if isinstance(value, str) else value
    if isinstance(values, list) and len(values) <= len(names):
        return dict(zip(names, values, strict=False))
    if not isinstance(values, dict):
        raise ValueError(f"it is {json.dumps(value, ensure_ascii=False)[:60]}")
    return values


def _read(function: Function, number: int, where: str, given: dict[str, Any]) -> Question:
    """Return an input made of texts."""
    try:
        return Question(number, where, given, function.coerce(given))
    except FunctoryError as error:
        return Question(number, where, given, error=error.located(where))
