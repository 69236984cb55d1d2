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
    """Return how many columns a text takes: two for each wide character."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)


def cut(text: str, room: int) -> str:
    """Return a text cut to a number of columns, with an ellipsis where something is left out."""
    if width(text) <= room:
        return text
    while text and width(text) > room - 1:
        text = text[:-1]
    return text.rstrip() + "…" if room > 0 else ""


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
        while width(line.rstrip()) > room:
            head = line
            while len(head) > 1 and width(head) > room:
                head = head[:-1]
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _pieces(text: str) -> list[str]:
    """Return a text in the pieces between which a line may end: words with the spaces behind them, wide characters alone."""
    import re

    return re.findall(rf"{_WIDE}\s*|(?:(?!{_WIDE})\S)+\s*|\s+", text.replace("\n", " "))
