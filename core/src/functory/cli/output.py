"""How verbs print: aligned columns for people, JSON for programs. Plain text, so that it costs no import."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from functory.terminal.widths import cut, width


def print_json(value: object) -> None:
    """Print a value as JSON, with texts in their own script."""
    import json

    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_columns(rows: Iterable[Sequence[str]], indent: str = "  ") -> None:
    """Print rows in columns as wide as their widest cell; on a terminal, the last one is cut at its edge."""
    table = [list(row) for row in rows]
    widths = [max(map(width, column)) for column in zip(*table, strict=True)][:-1]
    room = terminal_width() - len(indent) - sum(wide + 2 for wide in widths)
    for row in table:
        cells = [cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=False)]
        print((indent + "  ".join([*cells, _cut(row[-1], room)])).rstrip())


def print_paragraphs(rows: Iterable[Sequence[str]], indent: str = "  ") -> None:
    """Print rows in columns; on a terminal, the last one goes on below itself where it is longer than a line."""
    import textwrap

    table = [list(row) for row in rows]
    widths = [max(map(width, column)) for column in zip(*table, strict=True)][:-1]
    begins = len(indent) + sum(wide + 2 for wide in widths)
    room = max(20, terminal_width() - begins)
    for row in table:
        lines = textwrap.wrap(row[-1], room, break_long_words=False, break_on_hyphens=False) or [""]
        cells = [cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=False)]
        print((indent + "  ".join([*cells, lines[0]])).rstrip())
        for line in lines[1:]:
            print(" " * begins + line)


def size(count: int) -> str:
    """Return a number of bytes for people: ``1.4 MB``."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def _cut(text: str, room: int) -> str:
    """Return a text cut to a number of columns; as it is where the room is not worth having."""
    return text if room < 20 else cut(text, room)


def terminal_width() -> int:
    """Return the terminal's columns, or a million where stdout is none: a file wants whole lines."""
    if not sys.stdout.isatty():
        return 1_000_000
    import shutil

    return shutil.get_terminal_size().columns
