"""Tokens and tags as data hold them, and where tokens lie in a text: the one that comes with them, or the one that they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functory.contracts.cells import structure
from functory.contracts.plain import plain
from functory.errors import DataError
from functory_sdk.spans.scripts import is_unspaced

Offsets = list[tuple[int, int]]
"""For each token its first character and the one after its last."""


def join(tokens: Sequence[str]) -> tuple[str, Offsets]:
    """Return the text that tokens make, and where each lies in it.

    A space goes between two tokens, unless either border is of a script written without spaces, or the tokens are
    the characters of such a text: then what stands between its Latin letters is nothing, too.
    """
    are_characters = all(len(token) == 1 for token in tokens) and any(map(is_unspaced, tokens))
    text = ""
    offsets: Offsets = []
    for token in tokens:
        if text and not (are_characters or is_unspaced(text[-1]) or is_unspaced(token[0])):
            text += " "
        offsets.append((len(text), len(text) + len(token)))
        text += token
    return text, offsets


def align(tokens: Sequence[str], text: str) -> Offsets:
    """Return where tokens lie in their text: in order, with nothing but white space between them.

    :raises DataError: naming the first token that is not there.
    """
    offsets: Offsets = []
    end = 0
    for place, token in enumerate(tokens):
        start = end if text.startswith(token, end) else end + len(text[end:]) - len(text[end:].lstrip())
        if not text.startswith(token, start):
            raise DataError(
                f"token {place + 1}, {token!r}, is not at character {start} of the text: {text[start : start + 20]!r} is.",
                do="give tokens that make up the text, or leave the text out.",
            )
        end = start + len(token)
        offsets.append((start, end))
    return offsets


def listed(name: str, values: Any) -> list[str]:  # Any: whatever the data hold
    """Return tokens or tags as a list, whatever array or text holds them.

    :raises DataError: when they are no list of texts.
    """
    found = unwritten(values)
    if not isinstance(found, list):
        raise DataError(f"{name} are a {type(values).__name__}, not a list.", do=f"give a list of texts: {name} = ['…', '…'].")
    strange = next((one for one in found if not isinstance(one, str)), None)
    if strange is not None:
        numbers = "; the names of the classes, not their numbers" if name == "tags" and isinstance(strange, int) else ""
        raise DataError(f"{name} hold {strange!r}, which is no text.", do=f"give a list of texts{numbers}.")
    return found


def unwritten(value: Any) -> Any:  # Any: as above
    """Return a list as Python's own, whatever array or text holds it."""
    return structure(value) if isinstance(value, str) else plain(value)
