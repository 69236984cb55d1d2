"""A short text that a regular expression matches, read off the expression itself.

Where anything may come (``.*answer: (yes|no)``), a mask of what may come says nothing of where to go, and a search that goes by
masks finds no way out; the expression says it at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

PLAIN = "a0 -_.,:;!?@/b1A\n"
"""Characters that are tried, in this order, where some are excluded."""
MOST = 20_000
CATEGORIES = {"DIGIT": r"\d", "NOT_DIGIT": r"\D", "SPACE": r"\s", "NOT_SPACE": r"\S", "WORD": r"\w", "NOT_WORD": r"\W"}


class Unseen(Exception):
    """No text is seen at once; it may be looked for."""


def witness(pattern: str) -> str | None:
    """Return a short text that an expression matches; None where Python reads it not as llguidance does, or not at all."""
    from re import _parser  # type: ignore[attr-defined]

    try:
        return _text(_parser.parse(pattern))
    except (Unseen, re.error, ValueError, RecursionError, OverflowError, MemoryError):
        return None


def _text(tree: Iterable[tuple[Any, Any]]) -> str:
    return "".join(_part(str(kind), value) for kind, value in tree)


def _part(kind: str, value: Any) -> str:  # Any: what Python's parser gives
    """Return a short text of one part.

    :raises Unseen: for a part that no guide can hold.
    """
    if kind == "LITERAL":
        return chr(value)
    if kind in ("ANY", "NOT_LITERAL", "IN"):
        return _character(kind, value)
    if kind.endswith("_REPEAT"):
        return _often(_text(value[2]), value[0])
    if kind == "BRANCH":
        return min(map(_text, value[1]), key=len)
    if kind == "SUBPATTERN":
        return _text(value[-1])
    if kind == "AT":
        return ""
    raise Unseen


def _often(text: str, times: int) -> str:
    """Return a text so many times over.

    :raises Unseen: for more characters than any text that is written has.
    """
    if len(text) * times > MOST:
        raise Unseen
    return text * times


def _character(kind: str, value: Any) -> str:  # Any: as above
    """Return one of the characters that may stand there.

    :raises Unseen: where none was found.
    """
    items = [("NEGATE", None), ("LITERAL", value)] if kind == "NOT_LITERAL" else [] if kind == "ANY" else [*value]
    named = [(str(name), one) for name, one in items if str(name) != "NEGATE"]
    wants = len(named) == len(items)
    own = [chr(one if name == "LITERAL" else one[0]) for name, one in named if name in ("LITERAL", "RANGE")]
    for character in [*PLAIN, *own] if not wants or len(own) < len(named) or not named else own:
        if not named or any(_holds(name, one, character) for name, one in named) == wants:
            return character
    raise Unseen


def _holds(name: str, value: Any, character: str) -> bool:  # Any: as above
    if name == "LITERAL":
        return bool(ord(character) == value)
    if name == "RANGE":
        return bool(value[0] <= ord(character) <= value[1])
    return re.fullmatch(CATEGORIES[str(value).removeprefix("CATEGORY_")], character) is not None
