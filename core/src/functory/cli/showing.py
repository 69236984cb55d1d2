"""How `run` gives its answers: lines for people, JSON Lines for programs, or a file with the answers beside the inputs."""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from functory.cli.output import finite, terminal_width
from functory.errors import OptionError, StorageError
from functory.machine.folders import file_written_whole
from functory.machine.rescuing import rescued
from functory.machine.targets import replaceable_file
from functory.running.answers import Answer
from functory.terminal.streams import exact
from functory.terminal.widths import cut, width
from functory.wording.harmless import harmless

DELIMITERS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
PREDICTED = "predicted"
"""What the columns of an output begin with, so that they meet none of the input's: ``predicted.label``."""
FEW = 3
"""So many of what was scored are told to people."""


class Showing(Protocol):
    """Takes answers as they come."""

    def show(self, answers: Sequence[Answer]) -> None:
        """Show some more answers."""


class Lines:
    """One line an answer for people: the answer, and beside it the text that it is for, where there are several.

    On a terminal a line is cut at its edge; elsewhere it is whole, with a tab between the two.

    :param top: how many of what was scored are told.
    :param is_alone: whether there is one input, whose answer is then told as it stands.
    """

    def __init__(self, top: int | None, is_alone: bool) -> None:
        self._top, self._is_alone = FEW if top is None else top, is_alone
        self._room = terminal_width()
        self._left = 0  # columns of the answers so far, so that texts stand below each other

    def show(self, answers: Sequence[Answer]) -> None:
        told = [_in_line(answer, self._top) for answer in answers]
        if self._is_alone:
            _print(told)
            return
        lefts = [_folded(line) for line in told]
        rights = [_folded(" | ".join(map(str, answer.question.given.values()))) for answer in answers]
        if not sys.stdout.isatty():
            _print([f"{left}\t{right}" for left, right in zip(lefts, rights, strict=True)])
            return
        lefts = list(map(harmless, lefts))
        self._left = max(self._left, *(min(width(left), self._room // 2) for left in lefts))
        _print([self._fitted(left, right) for left, right in zip(lefts, rights, strict=True)])

    def _fitted(self, left: str, right: str) -> str:
        """Return a line that fits the terminal: the answer, the text as far as there is room."""
        left = cut(left, self._left)
        left += " " * (self._left - width(left))
        return cut(f"{left}  {harmless(right)}", self._room - 1).rstrip()


class JsonLines:
    """One JSON object a line: the row's number with the output's fields, or with what is wrong.

    :param top: how many of what was scored; all when None.
    """

    def __init__(self, top: int | None) -> None:
        self._top = top

    def show(self, answers: Sequence[Answer]) -> None:
        sys.stdout.write("".join(f"{self._line(answer)}\n" for answer in answers))
        sys.stdout.flush()

    def _line(self, answer: Answer) -> str:
        row = answer.question.row
        if answer.output is None:
            return json.dumps({"row": row, **_problem(answer)}, ensure_ascii=False, separators=(",", ":"))
        output = answer.output if self._top is None else answer.output.with_best(self._top)
        told = output.model_dump_json()
        return f'{{"row":{row},{told[1:]}' if told != "{}" else f'{{"row":{row}}}'


class Table:
    """A file with the answers beside the inputs and their columns.

    :param top: how many of what was scored; all when None.
    :param form: the ending of the file's name.
    """

    def __init__(self, top: int | None, form: str) -> None:
        self._top, self._form = top, form
        self.is_complete = False
        self.rows = self.errors = 0
        self._columns: dict[str, None] = {}
        self._answer_columns: dict[str, None] = {}
        self._rows = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by `table`

    def show(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            self.rows += 1
            self.errors += answer.output is None
            given = dict(answer.question.given)
            if self._form in JSON_LINES:
                line: dict[str, Any] = {**given, PREDICTED: _nested(answer, self._top)}
            else:
                cells = {f"{PREDICTED}.{name}": cell for name, cell in _cells(answer, self._top).items()}
                self._columns.update(dict.fromkeys(given))
                self._answer_columns.update(dict.fromkeys(cells))
                line = {**given, **cells}
            self._rows.write(json.dumps(finite(line), ensure_ascii=False, default=str) + "\n")

    def close(self) -> None:
        """Forget the answers."""
        self._rows.close()

    def write(self, path: Path) -> None:
        """Write a file: columns are known when every row was seen."""
        self._rows.seek(0)
        with path.open("w", encoding="utf-8", newline="") as file:
            if self._form in JSON_LINES:
                file.writelines(self._rows)
                return
            columns = [*self._columns, *(name for name in self._answer_columns if name not in self._columns)]
            table = csv.DictWriter(file, columns, restval="", delimiter=DELIMITERS[self._form], lineterminator="\n")
            table.writeheader()
            table.writerows({name: _cell(value) for name, value in json.loads(row).items()} for row in self._rows)


def check_table(path: Path) -> None:
    """Refuse a place where no table can be written; asked before a function is opened.

    :raises OptionError: when the file's name tells no format.
    :raises UsageError: when no file can be there.
    """
    if path.suffix.lower() not in (*DELIMITERS, *JSON_LINES):
        raise OptionError(
            f"the name {path.name!r} tells no format.", do=f"end it with {', '.join([*DELIMITERS, *JSON_LINES])}."
        )
    replaceable_file(path)


@contextmanager
def table(path: Path, top: int | None) -> Iterator[Table]:
    """Give a table that is written whole when the block ends well, or not at all. Answers that find no room are kept elsewhere.

    :raises OptionError: as `check_table`, and so does its UsageError.
    :raises StorageError: when the file cannot be written, with the place where the answers are.
    """
    check_table(path)
    made = Table(top, path.suffix.lower())
    try:
        with file_written_whole(path) as file:
            yield made
            made.is_complete = True
            made.write(file)
    except StorageError as error:
        if made.is_complete:
            error.do = f"{error.do} {rescued('the file', path.name, made.write, file_written_whole)}"
        raise
    finally:
        made.close()


def _in_line(answer: Answer, top: int) -> str:
    """Return an answer for people, with what the caller should know of it."""
    if answer.output is None:
        return f"no answer: {answer.error.what}" if answer.error else "no answer"
    told = "declined" if answer.output.abstained else answer.output.in_line(top)
    return " ".join([told, *(f"[{note}]" for note in answer.output.notes)])


def _folded(text: str) -> str:
    """Return a text as one line."""
    return " ".join(text.split())


def _print(lines: Sequence[str]) -> None:
    """Print lines at once, and let them out: on a terminal they are harmless, a file or a pipe gets the answers as they are."""
    out = exact(sys.stdout)
    out.write("".join(f"{line}\n" for line in lines))
    out.flush()


def _problem(answer: Answer) -> dict[str, str]:
    return answer.error.as_json() if answer.error else {"error": "FunctoryError"}


def _nested(answer: Answer, top: int | None) -> dict[str, Any]:
    """Return an output as JSON, or what is wrong."""
    if answer.output is None:
        return _problem(answer)
    output = answer.output if top is None else answer.output.with_best(top)
    return output.model_dump(mode="json")


def _cells(answer: Answer, top: int | None) -> Mapping[str, Any]:
    """Return an output's cells, and those of what every output has where it says something; or what is wrong."""
    if answer.output is None:
        problem = _problem(answer)
        return {"error": " ".join(problem[part] for part in ("what", "do") if part in problem)}
    output = answer.output
    said = {"abstained": True} if output.abstained else {}
    return {**output.in_cells(top), **said, **({"notes": "; ".join(output.notes)} if output.notes else {})}


def _cell(value: Any) -> Any:  # Any: what JSON holds
    """Return a value as a cell holds it: lists and objects as JSON, truth as JSON spells it, nothing as an empty cell."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | list | dict) else value
