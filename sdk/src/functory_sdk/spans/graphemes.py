"""Where one character as people see it ends and the next begins (Unicode Standard Annex 29, extended grapheme clusters).

A flag is two code points, a family of emoji seven, a Korean syllable up to three: a span that ends within one cuts it.
Without the annex's rules for the conjuncts of Indic scripts, whose parts are letters that stand alone as well.
"""

from __future__ import annotations

import unicodedata

import numpy as np

from functory.contracts.rows import Array
from functory_sdk.spans.scripts import is_clinging

_JOINER = "\u200d"
_FLAGS = range(0x1F1E6, 0x1F200)
_SHADES = range(0x1F3FB, 0x1F400)
_LEADING, _VOWELS, _TRAILING = range(0x1100, 0x1160), range(0x1160, 0x11A8), range(0x11A8, 0x1200)
_SYLLABLES = range(0xAC00, 0xD7A4)


def grapheme_borders(text: str) -> Array:
    """Return whether each place of a text, (characters + 1,), lies between two of its characters as people see them."""
    borders = np.ones(len(text) + 1, dtype=bool)
    if text.isascii() and "\r\n" not in text:
        return borders
    flags = 0  # that stand before, without a gap
    for place in range(1, len(text)):
        before, here = text[place - 1], text[place]
        flags = flags + 1 if ord(before) in _FLAGS else 0
        if here < "\u0300" and before < "\u0300":  # no mark is below, and nothing there joins but a line's end
            borders[place] = not (before == "\r" and here == "\n")
        else:
            borders[place] = not _goes_on(before, here, flags)
    return borders


def _goes_on(before: str, here: str, flags: int) -> bool:
    """Return whether a code point belongs to the character before it.

    :param flags: how many letters of flags end there: two make one flag.
    """
    code, last = ord(here), ord(before)
    if before.isspace() or unicodedata.category(before) == "Cc":
        return False
    if is_clinging(here) and unicodedata.category(here) not in ("Cc", "Co", "Cs"):
        return True
    if code in _SHADES or (before == _JOINER and unicodedata.category(here) == "So"):
        return True
    if code in _FLAGS:
        return flags % 2 == 1
    if code in _VOWELS:
        return last in _LEADING or last in _VOWELS or (last in _SYLLABLES and (last - _SYLLABLES.start) % 28 == 0)
    if code in _TRAILING:
        return last in _VOWELS or last in _TRAILING or last in _SYLLABLES
    return (code in _LEADING or code in _SYLLABLES) and last in _LEADING
