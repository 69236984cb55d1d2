"""What `run` runs on: arguments, the lines of stdin, or the rows of a file, each with its number and its place."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from functory.cli.options import data, pairs, reading
from functory.cli.output import say
from functory.cli.written import fields
from functory.errors import DataError, FunctoryError, UsageError
from functory.running.answers import Question
from functory.using.answered import Again
from functory.using.bulk import AT_ONCE

if TYPE_CHECKING:
    from functory.data.columns import Column
    from functory.data.records import RecordStream
    from functory.function import Function
    from functory.terminal import Progress
    from functory.using.answered import Answered

MOST = 1024
"""Lines of stdin that are answered together, where so many are there."""
LOOKED = 1000
"""Rows that are looked through between two looks at the clock."""


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
            "with --input, with a column for each.",
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
        raise UsageError("there is nothing to run on: stdin is closed.", do="give texts, or --input.")
    if args.format not in (None, "jsonl") or args.read or args.no_header:
        do = "give it as a file: --input /dev/stdin, with the same options."
        raise UsageError("stdin is read line by line, and not by a reader of files.", do=do)


def on_bad_row(args: Namespace) -> str:
    """Return what becomes of a row that is none: as was said; else what comes bit by bit goes on, and a file stops."""
    return args.on_bad_row or ("stop" if args.input or args.texts else "keep")


def from_data(
    function: Function, args: Namespace, answered: Answered | None = None
) -> tuple[Iterator[list[Question]], int | None]:
    """Return the rows of a file or a sample, in lists, and how many there are.

    What can be read twice is looked through first, so that nothing is computed where a row is bad and bad rows stop.

    :param answered: what an earlier run has answered, and need not be asked again.
    :raises BadRows: for bad rows, where they stop.
    """
    return _lists(_questions(function, args, answered.tally.rows if answered else 0)), _total(function, args, answered)


def again(args: Namespace) -> Again | None:
    """Return the rows of files, as often as is needed; None where there are other data too, or what is gone once it was read."""
    from functory.data.faults import Fault
    from functory.data.sources import SAMPLES, paths_of

    if not args.input or any(name.startswith(SAMPLES) or _passes(name) for name in args.input):
        return None

    def begin() -> Iterator[Mapping[str, Any]]:
        return ({} if isinstance(row, Fault) else row.values for row in _rows(args))

    files = paths_of(args.input)
    return Again(files, reading(args) | {"on_bad_row": ""}, begin) if all(path.exists() for path in files) else None


def _total(function: Function, args: Namespace, answered: Answered | None) -> int | None:
    """Return how many rows there are, where they can be counted; an earlier run may have done so.

    :raises BadRows: where one is bad and bad rows stop.
    """
    if any(map(_passes, args.input)):
        return None
    if answered and answered.looked and not (answered.looked[1] and on_bad_row(args) == "stop"):
        return answered.looked[0]
    count, bad = _looked_through(function, args)
    if answered:
        answered.look(count, bad)
    return count


def _passes(name: str) -> bool:
    """Return whether data are gone once they were read, as those of a pipe are."""
    path = Path(name).expanduser()
    return path.exists() and not path.is_file() and not path.is_dir()


def _looked_through(function: Function, args: Namespace) -> tuple[int, int]:
    """Return how many rows there are, and how many of them are bad.

    :raises BadRows: where one is bad and bad rows stop.
    """
    from functory.data.faults import SHOWN, Fault, bad_rows
    from functory.terminal import progress

    faults: list[Fault] = []
    count = bad = 0
    bar: Progress[None]
    with progress(None, f"{function.name}: looking through {', '.join(args.input)}") as bar:
        for found in _validated(function, args):
            count += 1
            if isinstance(found, Fault):
                bad += 1
                faults += [found] if bad <= SHOWN else []
            if count % LOOKED == 0:
                bar.advance(LOOKED)
    if bad and on_bad_row(args) == "stop":
        raise bad_rows(faults, bad, count - bad)
    return count, bad


def _questions(function: Function, args: Namespace, passed: int = 0) -> Iterator[Question]:
    """Give each row of the data, but for the first ones that are passed over."""
    from functory.data.faults import Fault

    for number, found in enumerate(_validated(function, args, passed), 1 + passed):
        if isinstance(found, Fault):
            error = DataError(f"{found.what}.", where=found.place, do=found.do)
            yield Question(number, found.where, error=error)
        else:
            record, value = found
            yield Question(number, record.where, record.values, value)


def _validated(function: Function, args: Namespace, passed: int = 0) -> Iterator[Any]:
    """Give each row with its input, or what is wrong with it."""
    from functory.data.examples import validated

    rows = _rows(args)
    rows.passed = passed
    yield from validated(rows, function.task.Input, _columns(function), reading(args).get("columns"),
                         gather=function.task.gathered)  # fmt: skip


def _rows(args: Namespace) -> RecordStream:
    """Return the rows of the data as they come."""
    from functory.data.sources import stream

    said = reading(args)
    return stream(data(args.input), format=said.get("format"), encoding=said.get("encoding", ""))


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
