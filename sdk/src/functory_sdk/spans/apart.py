"""Texts as they are read where words or characters are to have tokens of their own: with a space put between them.

A tokenizer of a multilingual model makes one token of several Chinese characters, across the borders of words; between
spaces it cannot. Offsets are told in the text as it was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from functory.contracts.rows import Array
from functory_sdk.spans.scripts import is_clinging, is_unspaced


@dataclass(frozen=True, slots=True)
class Apart:
    """A text with spaces put in.

    :param text: what is read.
    :param count: (characters + 1,) how many characters of the given text stand before each place of it; None where it is
        the given text itself.
    """

    text: str
    count: Array | None = None

    def offsets(self, told: Array) -> Array:
        """Return offsets in the given text, (tokens, 2), from those in the text that was read."""
        found: Array = told if self.count is None else self.count[told]
        return found


def apart(text: str, borders: Iterable[int]) -> Apart:
    """Return a text with a space before each of some characters, where none stands there.

    :param borders: places in the text, in order.
    """
    at = [place for place in borders if 0 < place < len(text) and not (text[place - 1].isspace() or text[place].isspace())]
    if not at:
        return Apart(text)
    parts = [text[start:stop] for start, stop in zip([0, *at], [*at, len(text)], strict=True)]
    given = np.ones(len(text) + len(at), dtype=np.int64)
    given[np.asarray(at) + np.arange(len(at))] = 0  # the spaces that were put in
    return Apart(" ".join(parts), np.concatenate([[0], np.cumsum(given)]))


def character_borders(text: str) -> Iterator[int]:
    """Give the places between two characters, with the marks on them, of which one is written without spaces."""
    is_alone = False
    for place, character in enumerate(text):
        if is_clinging(character):
            continue
        if place and (is_alone or is_unspaced(character)):
            yield place
        is_alone = is_unspaced(character)
