"""What scripts ask of a reader of words: which are written without spaces, what clings to the letter before.

Chinese, Japanese, Thai and their neighbours put no space between words, so nothing here splits on spaces alone.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right

from functory.reading.segmentation import words

# First and last code point of each range, in order: Thai and Lao, Tibetan, Myanmar, Khmer, CJK radicals to
# Bopomofo, kana's extensions, ideographs, compatibility ideographs, full-width forms, ideographs beyond the first plane.
_RANGES = (
    (0x0E00, 0x0EFF), (0x0F00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x312F), (0x31A0, 0x31FF),
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF00, 0xFF9F), (0x20000, 0x3FFFF),
)  # fmt: skip
_STARTS = [first for first, _ in _RANGES]
UNSPACED = "".join(f"{chr(first)}-{chr(last)}" for first, last in _RANGES)
"""The characters of such scripts, as what stands between the brackets of a regular expression's set."""


def is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script, or its punctuation, that is written without spaces."""
    code = ord(character)
    place = bisect_right(_STARTS, code) - 1
    return place >= 0 and code <= _RANGES[place][1]


def going_on(text: str) -> str:
    """Return a text as it goes on from words before it: after a space, but in scripts that have none."""
    return text if is_unspaced(text[:1] or " ") else f" {text}"


def is_clinging(character: str) -> bool:
    """Whether a character is no letter of its own: a combining mark, a joiner, an invisible sign."""
    return unicodedata.category(character)[0] in "MC" and not character.isspace()


def is_inside_word(text: str, place: int) -> bool:
    """Whether the border before a character lies inside a word of a script that is written with spaces."""
    before, after = text[place - 1], text[place]
    return _is_letter(before) and _is_letter(after)


def _is_letter(character: str) -> bool:
    return (character.isalnum() or is_clinging(character)) and not is_unspaced(character)


def plain_words(text: str) -> list[tuple[int, int]]:
    """Return the words that a text shows by its spaces and signs, first character and the one after the last.

    Characters of Chinese and Japanese are words of their own: the same on every machine, whatever is installed there.
    """
    return words(text, is_segmented=False)


def cut_mark(text: str, start: int, end: int) -> str:
    """Say which mark a stretch of a text parts from the letter that it stands on; empty where it parts none."""
    for place in (start, end):
        if 0 < place < len(text) and unicodedata.category(text[place])[0] == "M" and not text[place - 1].isspace():
            return f"U+{ord(text[place]):04X}, a mark at {place}, stands on the letter before it"
    return ""
