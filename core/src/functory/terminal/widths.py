"""How many columns of a terminal a text takes."""

from __future__ import annotations


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
