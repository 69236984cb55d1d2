"""How verbs print: aligned columns for people, JSON for programs. Plain text, so that it costs no import."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from functory.terminal import clean
from functory.terminal.widths import columns, cut, width, wrapped

LEAST = 20
"""The columns below which a cell is not worth having beside others."""
NARROW = 36
"""The columns below which a paragraph is not worth beginning beside others."""
CONTINUED = "    "
"""What a cell is indented by that stands below the others of its row."""


def print_json(value: object) -> None:
    """Print a value as JSON, with texts in their own script."""
    import json

    from functory.contracts.plain import finite

    print(json.dumps(finite(value), ensure_ascii=False, indent=2))


def say(text: str, stream: TextIO | None = None) -> None:
    """Print prose: on a terminal, a line that is too long goes on below itself, indented as it begins and by two more."""
    wide = terminal_width(stream)
    for line in clean(text).split("\n"):
        begins = len(line) - len(line.lstrip())
        kept = line.lstrip()
        first, *rest = wrapped(kept, max(LEAST, wide - begins - 2)) if width(line) > wide else [kept]
        print("\n".join([" " * begins + first, *(" " * (begins + 2) + one for one in rest)]), file=stream or sys.stdout)


def print_columns(rows: Iterable[Sequence[str]], indent: str = "  ") -> None:
    """Print rows in columns as wide as their widest cell; on a terminal, the last one is cut at its edge."""
    for begin, last, begins, room in _laid_out(rows, indent):
        if room < LEAST:
            print(cut(begin.rstrip(), begins + room))
            if last:
                print(cut(indent + CONTINUED + last, begins + room))
        else:
            print((begin + cut(last, room)).rstrip())


def print_paragraphs(rows: Iterable[Sequence[str]], indent: str = "  ") -> None:
    """Print rows in columns; on a terminal, the last one goes on below itself where it is longer than a line."""
    for begin, last, begins, room in _laid_out(rows, indent):
        if room < NARROW and last:  # nothing worth having is left beside the others
            print(cut(begin.rstrip(), begins + room))
            begin, begins, room = indent + CONTINUED, len(indent + CONTINUED), begins + room - len(indent + CONTINUED)
        first, *rest = wrapped(last, max(LEAST, room))
        print((begin + first).rstrip())
        for line in rest:
            print(" " * begins + line)


def _laid_out(rows: Iterable[Sequence[str]], indent: str) -> Iterator[tuple[str, str, int, int]]:
    """Give each row as what comes before its last cell, that cell, where it begins, and the room that is left for it."""
    table = [[_in_a_cell(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*table, strict=True)][:-1]
    begins = len(indent) + sum(wide + 2 for wide in widths)
    room = terminal_width() - begins
    for row in table:
        cells = (cell + " " * (wide - width(cell) + 2) for cell, wide in zip(row, widths, strict=False))
        yield indent + "".join(cells), row[-1], begins, room


def _in_a_cell(text: str) -> str:
    """Return text that is harmless and takes one line: an end of line in a name would make a row of its own."""
    return clean(text).replace("\n", " ").replace("\t", " ")


def size(count: int) -> str:
    """Return a number of bytes for people: ``1.4 MB``."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def terminal_width(stream: TextIO | None = None) -> int:
    """Return the columns of the terminal that a stream leads to, or a million where it is none: a file wants whole lines."""
    stream = stream or sys.stdout
    return columns(stream) if stream.isatty() else 1_000_000
