"""Offsets that count in UTF-16, as browsers do, put right where the marked text shows it."""

from __future__ import annotations

from typing import Any


def in_characters(start: Any, end: Any, marked: Any, text: str) -> tuple[Any, Any]:  # Any: JSON, checked by the caller
    """Return offsets in characters.

    :param marked: the text that the annotator marked, where it is known.
    :param text: the whole text.
    """
    if not isinstance(marked, str) or not isinstance(start, int) or not isinstance(end, int):
        return start, end
    if text[start:end] == marked or text.isascii():
        return start, end
    units = text.encode("utf-16-le", "surrogatepass")
    if units[2 * start : 2 * end] != marked.encode("utf-16-le", "surrogatepass"):
        return start, end
    return _characters(units[: 2 * start]), _characters(units[: 2 * end])


def _characters(units: bytes) -> int:
    return len(units.decode("utf-16-le", "surrogatepass"))
