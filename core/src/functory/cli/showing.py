"""How `run` gives its answers on stdout: lines for people, JSON Lines for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Protocol

from functory.cli.output import terminal_width
from functory.running.answers import Answer
from functory.terminal.streams import exact
from functory.terminal.widths import cut, width
from functory.wording.harmless import harmless

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
