"""Punctuation of a text: which mark follows each word, the text without marks, and the text with others put in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from functory_sdk.spans.scripts import is_clinging, is_unspaced

Place = tuple[int, int]


@dataclass(frozen=True)
class Punctuated:
    """A text, its words, and the marks that stand between them.

    :param words: first character of each word and the one after its last; a character each in scripts without spaces.
    :param after: the mark that follows each word; empty for none.
    :param marks: where the marks stand, each a character.
    """

    text: str
    words: tuple[Place, ...]
    after: tuple[str, ...]
    marks: frozenset[int]

    @property
    def bare(self) -> str:
        """The text with a space in the place of each mark."""
        return "".join(" " if place in self.marks else character for place, character in enumerate(self.text))

    def restored(self, after: Sequence[str]) -> str:
        """Return the text with other marks after its words, and without its own.

        :param after: one for each word.
        """
        parts: list[str] = []
        end = 0
        for (_, stop), mark in zip(self.words, after, strict=True):
            parts += [self._without(end, stop), mark]
            end = stop
        return "".join(parts) + self._without(end, len(self.text))

    def _without(self, start: int, end: int) -> str:
        """Return a stretch of the text without its marks, and the spaces before them."""
        kept: list[str] = []
        for place in range(start, end):
            if place not in self.marks:
                kept.append(self.text[place])
                continue
            while kept and kept[-1].isspace():
                kept.pop()
        return "".join(kept)


def punctuated(text: str, marks: Collection[str], given: Sequence[Place] = ()) -> Punctuated:
    """Return the words of a text and the mark that follows each: the first, where several do.

    A sign is a mark where it ends a word: what stands after it, other signs aside, is white space, the end, or a script without
    spaces. So the point of 3.5 and the colon of 10:30 are none. Signs before the first word belong to no word, and stay.

    :param given: the words, where they came with the text.
    """
    found = _marks(text, marks)
    words = tuple(given) or tuple(_words("".join(" " if place in found else sign for place, sign in enumerate(text))))
    first = words[0][0] if words else len(text)
    found = frozenset(place for place in found if place >= first)
    borders = [*(start for start, _ in words), len(text)]
    between = [range(start, later) for (start, _), later in zip(words, borders[1:], strict=True)]
    after = tuple(next((text[place] for place in places if place in found), "") for places in between)
    return Punctuated(text, words, after, found)


def _marks(text: str, marks: Collection[str]) -> frozenset[int]:
    """Return where signs are marks."""
    found: set[int] = set()
    ends = True  # whether a word may end before the character at hand
    for place in range(len(text) - 1, -1, -1):
        sign = text[place]
        before = text[place - 1] if place else " "
        if sign in marks and (ends or is_unspaced(sign) or is_unspaced(before)):
            found.add(place)
            ends = True
        elif sign.isspace() or is_unspaced(sign):
            ends = True
        elif sign.isalnum():
            ends = False
    return frozenset(found)


def _words(bare: str) -> list[Place]:
    """Return the words of a text without marks: between spaces, from the first letter to the last; characters alone in scripts
    without spaces; with the marks that stand on letters.
    """
    words: list[list[int]] = []
    is_open = False  # whether the last word may go on
    for place, sign in enumerate(bare):
        if is_clinging(sign):
            if words and words[-1][1] == place:
                words[-1][1] = place + 1
        elif sign.isspace():
            is_open = False
        elif sign.isalnum() and is_unspaced(sign):
            words.append([place, place + 1])
            is_open = False
        elif sign.isalnum():
            if is_open:
                words[-1][1] = place + 1
            else:
                words.append([place, place + 1])
            is_open = True
        elif is_unspaced(sign):
            is_open = False
    return [(start, stop) for start, stop in words]
