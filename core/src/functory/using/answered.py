"""Answers beside the rows that they are for: kept as they come, and written as the rows of a file in the end.

Apart from `bulk`, which finds the run that was broken off, and puts the file into its place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory.contracts.plain import finite
from functory.data.faults import SHOWN
from functory.data.writing import AnyReader, Rows, writer_of
from functory.errors import DataError
from functory.machine.journal import Journal
from functory.machine.storage import telling

if TYPE_CHECKING:
    from functory.running.answers import Answer

PREDICTED = "predicted"
"""What the columns of an output begin with, so that they meet none of the input's: ``predicted.label``."""
Values = Mapping[str, Any]  # Any: what columns hold


@dataclass(frozen=True)
class Again:
    """Rows that can be read as often as is needed.

    :param files: where they lie.
    :param read: how they are read, as plain data.
    :param begin: gives the columns of each row from the first on, those of a row that cannot be read too: none.
    """

    files: Sequence[Path]
    read: Any  # plain data
    begin: Callable[[], Iterator[Values]]

    def identity(self) -> list[Any]:  # Any: JSON
        """Return what changes where the rows do: where each file lies, how large it is and when it was changed."""
        return [self.read, *(_stat(path) for one in self.files for path in (sorted(one.rglob("*")) if one.is_dir() else [one]))]


@dataclass
class Tally:
    """How many rows there were, and those without an answer: how many, and the first with their places."""

    rows: int = 0
    errors: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, answers: Sequence[Answer]) -> None:
        """Count some more answers."""
        wrong = [answer for answer in answers if answer.error is not None]
        self.count(len(answers), len(wrong), [_place(answer) for answer in wrong])

    def count(self, rows: int, errors: int, first: Sequence[str]) -> None:
        """Count rows that were answered before."""
        self.rows, self.errors = self.rows + rows, self.errors + errors
        self.first += first[: SHOWN - len(self.first)]


class Answered:
    """The answers to many rows, on their way into a file.

    :param path: the file.
    :param journal: where they are kept until then.
    :param again: the rows, where they can be read again; else they are kept beside their answers.
    :param top: how many of what was scored; all when None.
    :param bad: what becomes of a row without an answer: it ends the run, is left out, or kept with an error in the place of
        its answer.
    :ivar tally: what was counted, in the runs before too.
    """

    def __init__(self, path: Path, journal: Journal, again: Again | None, top: int | None, bad: str) -> None:
        self.path, self.tally = path, Tally()
        self._journal, self._again, self._top, self._bad = journal, again, top, bad
        self._writer: AnyReader = writer_of(path)
        self._given: dict[str, None] = {}
        self._said: dict[str, None] = {}
        self.looked: tuple[int, int] | None = None
        """How many rows there are, and how many of them are bad, where they were looked through."""
        self.tally.count(journal.rows, 0, ())
        for note in journal.notes:
            self._read(note)

    def look(self, rows: int, bad: int) -> None:
        """Note what was seen when the rows were looked through."""
        self.looked = rows, bad
        self._note([], {"looked": [rows, bad]})

    def show(self, answers: Sequence[Answer]) -> None:
        """Keep some more answers.

        :raises FunctoryError: the first error among them, where bad rows end the run; none of these is kept then.
        :raises DataError: where the inputs have a column for answers already.
        """
        if self._bad == "stop" and (wrong := next((one.error for one in answers if one.error is not None), None)):
            raise wrong
        self.tally.add(answers)
        wrongs = [_place(one) for one in answers if one.error is not None]
        told = [self._told(one) for one in answers]
        given = self._new(self._given, (dict.fromkeys(one.question.given) for one in answers))
        said = self._new(self._said, (entry["answer"] for entry in told if "answer" in entry))
        _check(given)
        lines = [json.dumps(entry, ensure_ascii=False, separators=(",", ":"), default=str) for entry in told]
        self._note(lines, {"given": given, "said": said, "errors": len(wrongs), "first": wrongs[:SHOWN]})

    def write(self, path: Path) -> None:
        """Write the file."""
        said = list(self._said)
        if self.tally.errors and self._bad == "keep" and self._writer.writes == "cells":
            said.append(f"{PREDICTED}.error")
        columns = [*self._given, *(said if self._writer.writes == "cells" else [PREDICTED])]
        self._writer.write(path, Rows(self.path.suffix.lower(), tuple(columns), self._rows))

    def _rows(self) -> Iterator[Values]:
        """Give each row as it is written."""
        given = self._again.begin() if self._again else None
        for line in self._journal.lines():
            entry = json.loads(line)
            values = entry.get("given", {}) if given is None else next(given, None)
            if values is None:
                raise changed(self._again)
            if "answer" in entry or self._bad == "keep":
                yield {**values, **self._columns(entry)}

    def _columns(self, entry: Values) -> Values:
        """Return what stands in the columns of an answer, or of an error."""
        if self._writer.writes == "values":
            return {PREDICTED: entry.get("answer", entry.get("error"))}
        if "answer" in entry:
            return {name: entry["answer"][name] for name in entry["answer"]}
        error = entry["error"]
        where = f"{error['where']}: " if error.get("where") else ""
        return {f"{PREDICTED}.error": f"{where}{error.get('what', '')} {error.get('do', '')}".strip()}

    def _told(self, answer: Answer) -> dict[str, Any]:
        """Return an answer as it is kept."""
        kept: dict[str, Any] = {} if self._again else {"given": finite(dict(answer.question.given))}
        if answer.output is None:
            return {"error": answer.error.as_json() if answer.error else {"error": "FunctoryError"}, **kept}
        if self._writer.writes == "cells":
            found = {f"{PREDICTED}.{name}": cell for name, cell in _cells(answer.output, self._top).items()}
        else:
            found = (answer.output if self._top is None else answer.output.with_best(self._top)).model_dump(mode="json")
        return {"answer": finite(found), **kept}

    def _new(self, known: dict[str, None], rows: Iterator[Mapping[str, Any]]) -> list[str]:
        """Return the columns that rows have first, and remember them."""
        found = {name: None for row in rows for name in row if name not in known}
        known |= found
        return list(found)

    def _note(self, lines: Sequence[str], note: dict[str, Any]) -> None:
        with telling(self._journal.path, doing="the answers cannot be kept"):
            self._journal.add(lines, {name: value for name, value in note.items() if value})

    def _read(self, note: Values) -> None:
        """Take up what was noted by an earlier run."""
        self._given |= dict.fromkeys(note.get("given", ()))
        self._said |= dict.fromkeys(note.get("said", ()))
        self.tally.count(0, note.get("errors", 0), note.get("first", ()))
        if "looked" in note:
            self.looked = tuple(note["looked"])


def _stat(path: Path) -> list[Any]:  # Any: JSON
    found = path.stat()
    return [os.path.realpath(path), found.st_size, found.st_mtime_ns]


def changed(again: Again | None) -> DataError:
    """Return the error of rows that others write while they are read."""
    named = ", ".join(str(path) for path in again.files[:3]) if again else "the input"
    return DataError("the file was changed while it was read.", where=named, do="run it again when nobody writes it.")


def _check(columns: Sequence[str]) -> None:
    """Refuse inputs that hold what answers are called.

    :raises DataError: then.
    """
    for name in columns:
        if name == PREDICTED or name.startswith(f"{PREDICTED}."):
            do = f"give the column another name: the answers are written to {PREDICTED} and {PREDICTED}.…."
            raise DataError(f"the input has a column {name!r}, as the answers do.", do=do)


def _place(answer: Answer) -> str:
    """Return where a row without an answer is, and why it has none."""
    error = answer.error
    if error is None:
        return answer.question.where
    where = error.where if answer.question.where in error.where else answer.question.where
    return f"{where}: {error.what}"


def _cells(output: Any, top: int | None) -> dict[str, Any]:  # Any: a task's own output
    """Return an output's cells, and those of what every output has where it says something."""
    said = {"abstained": True} if output.abstained else {}
    return {**output.in_cells(top), **said, **({"notes": "; ".join(output.notes)} if output.notes else {})}
