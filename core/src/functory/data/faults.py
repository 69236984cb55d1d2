"""What is wrong with one row, where, and what to do about it.

Apart, because faults are found twice (while a file is read, while its rows are checked), and only afterwards
does it matter whether the user wants the first one to stop the work, or all of them skipped and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from functory.errors import BadRows, DataError, OptionError

OnBadRow = Literal["stop", "skip"]

SHOWN = 10
"""So many bad rows an error shows."""
MOST_REMEDIES = 3


@dataclass(frozen=True, slots=True)  # a file may have a million of them
class Fault:
    """One bad row.

    :param what: what is wrong, without a final full stop.
    :param row: the row's number among all rows of its source, which puts faults in order.
    :param where: the row's place: ``reviews.csv, line 7``.
    :param column: the column, where it is known.
    :param do: the remedy.
    """

    what: str
    row: int
    where: str
    column: str = ""
    do: str = ""

    @property
    def place(self) -> str:
        """The row's place, with the column where it is known."""
        return f"{self.where}, column {self.column!r}" if self.column else self.where

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


def settle(faults: Sequence[Fault], good: int, source: str, on_bad_row: OnBadRow) -> tuple[Fault, ...]:
    """Stop at the faults, or let all of them pass as skipped.

    :param faults: all faults of the source, in any order.
    :param good: how many rows are sound.
    :returns: the faults in the order of their rows.
    :raises BadRows: where there is a fault and bad rows stop, or where no sound row is left; it shows the first ten.
    :raises DataError: where there is no row at all.
    :raises OptionError: where `on_bad_row` is neither.
    """
    if on_bad_row not in ("stop", "skip"):
        raise OptionError(
            f"on_bad_row = {on_bad_row!r} is not allowed.", do="on_bad_row is 'stop' or 'skip'."
        )
    ordered = tuple(sorted(faults, key=lambda fault: fault.row))
    if ordered and (on_bad_row == "stop" or not good):
        raise bad_rows(ordered, len(ordered), good)
    if not good:
        raise DataError("there is no row.", where=source, do="give at least one example.")
    return ordered


def bad_rows(faults: Sequence[Fault], count: int, good: int) -> BadRows:
    """Return the error that shows the first faults and counts all of them.

    :param faults: the first of them at least, in the order of their rows.
    :param count: how many there are.
    :param good: how many rows are sound.
    """
    shown = faults[:SHOWN]
    first = shown[0]
    what = f"{first.what}." if count == 1 else f"{count:,} rows are faulty; the first: {first.what}."
    remedies = list(dict.fromkeys(fault.do for fault in shown if fault.do))[:MOST_REMEDIES]
    if good:
        remedies.append(f"Or pass over bad rows: --on-bad-row skip (on_bad_row='skip'); sound rows: {good:,}.")
    parts = [{"where": fault.place, "what": fault.what, "do": fault.do} for fault in shown]
    return BadRows(what, where=first.place, do=" ".join(remedies), rows=parts, count=count)
