"""How many columns of a terminal a text takes, and what of it fits."""

from __future__ import annotations

from typing import TextIO

USUAL = 80
"""The columns of a terminal that does not say how many it has."""
_WIDE = r"[\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]"
"""Characters of scripts that are written without spaces."""


def columns(stream: TextIO) -> int:
    """Return the columns of the terminal that a stream leads to: those of ``COLUMNS`` where that is a number above 0."""
    import os

    chosen = os.environ.get("COLUMNS", "")
    if chosen.isdecimal() and int(chosen):
        return int(chosen)
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL
    except (OSError, ValueError):  # no file beneath it
        return USUAL


def width(text: str) -> int:
    """Return how many columns a text takes: two for each wide character, none for marks above others and for joiners."""
    return len(text) if text.isascii() else sum(map(_takes, text))


def cut(text: str, room: int) -> str:
    """Return a text cut to a number of columns, with an ellipsis where something is left out."""
    if _fitting(text, room) == len(text):
        return text
    return text[: _fitting(text, room - 1)].rstrip() + "…" if room > 0 else ""


def _fitting(text: str, room: int) -> int:
    """Return how many of a text's characters fit into so many columns, marks that follow the last one with it."""
    if text.isascii():
        return min(len(text), max(room, 0))
    taken = 0
    for place, one in enumerate(text):
        taken += _takes(one)
        if taken > room:
            return place
    return len(text)


def _takes(one: str) -> int:
    from unicodedata import category, east_asian_width

    return 0 if category(one) in ("Mn", "Me", "Cf") else 2 if east_asian_width(one) in "WF" else 1


def wrapped(text: str, room: int) -> list[str]:
    """Return a text as lines of so many columns at most: broken at spaces, beside wide characters, else where it must be."""
    lines, line = [], ""
    for piece in _pieces(text):
        if width(line + piece.rstrip()) <= room:
            line += piece
            continue
        if line.strip():
            lines.append(line.rstrip())
        line = piece.lstrip()
        while (fitting := _fitting(line.rstrip(), room)) < len(line.rstrip()):
            fitting = max(fitting, 1)
            lines.append(line[:fitting])
            line = line[fitting:]
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _pieces(text: str) -> list[str]:
    """Return a text in the pieces between which a line may end: words with the spaces behind them, wide characters alone."""
    import re

    return re.findall(rf"{_WIDE}\s*|(?:(?!{_WIDE})\S)+\s*|\s+", text.replace("\n", " "))
