"""Cuts text into words, as people see them: what explanations weigh.

By Unicode's general categories: letters and digits with the marks on them make a word, every other sign is a word of its
own. Chinese and Japanese have no spaces, so runs of their characters are cut by a segmenter where one is installed
(rjieba), else into single characters, which `notes` says. Thai and its kin are cut at their spaces alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal

Ends = tuple[int, int]
"""First character, or token, and the one after the last."""
Kind = Literal["space", "unspaced", "letter", "mark", "sign"]

_UNSPACED = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u3098\u309b-\u30ff\U00020000-\U0003134f]")
_JOINER = "\u200d"
"""Makes one sign of two, as in emoji of families."""
_EXTENDING = re.compile("[\u200c\u200d\U0001f3fb-\U0001f3ff]")
"""What belongs to the character before it, besides marks: joiners and the shades of emoji."""
_FLAGS = frozenset(map(chr, range(0x1F1E6, 0x1F200)))
"""The letters of flags: each two that stand together are one."""
_INSIDE = frozenset("'’-.")
"""What joins two letters into one word: it's, re-do, 3.5."""
SINGLE = "Chinese is weighed by single characters: pip install rjieba for words"


def words(text: str, *, is_segmented: bool = True) -> list[Ends]:
    """Return the words of a text, first character and the one after the last, in order; signs are words of their own.

    :param is_segmented: let a segmenter find the words of Chinese and Japanese; else each character is one, with the marks on
        it, on every machine.
    """
    spans: list[Ends] = []
    for kind, start, end in _runs(text):
        if kind == "unspaced":
            spans.extend(_cut(text[start:end], start) if is_segmented else _characters(text, start, end))
        elif kind != "space":
            spans.append((start, end))
    return spans


def notes(text: str) -> tuple[str, ...]:
    """Return what a reader should know of how this text was cut."""
    return (SINGLE,) if _segmenter() is None and re.search(r"[\u3400-\u9fff]{2}", text) else ()


def _runs(text: str) -> Iterator[tuple[Kind, int, int]]:
    """Give the stretches of one kind, with the marks on them; each sign is a stretch of its own."""
    before: Kind = "space"
    start = 0
    for at in range(len(text)):
        kind = _kind(text, at)
        if kind == "mark":
            if before != "space":
                continue
            kind = "sign"  # nothing stands before it that it could belong to
        is_flag = at - start == 1 and text[start] in _FLAGS and text[at] in _FLAGS
        if kind == before and (kind != "sign" or text[at - 1] == _JOINER or is_flag):
            continue
        if at > start:
            yield before, start, at
        before, start = kind, at
    if text:
        yield before, start, len(text)


def _kind(text: str, at: int) -> Kind:
    """Return what the character at a place is."""
    char = text[at]
    if char.isspace():
        return "space"
    if _UNSPACED.match(char):
        return "unspaced"
    if _EXTENDING.match(char) or unicodedata.category(char)[0] == "M":
        return "mark"
    inside = char in _INSIDE and 0 < at < len(text) - 1 and _in_word(text[at - 1]) and _in_word(text[at + 1])
    return "letter" if inside or _in_word(char) else "sign"


def _in_word(char: str) -> bool:
    """Return whether a character is a part of a word that spaces set apart."""
    return (char == "_" or unicodedata.category(char)[0] in "LNM") and not _UNSPACED.match(char)


def _cut(run: str, start: int) -> Iterator[Ends]:
    """Give the words of a run without spaces."""
    segmenter = _segmenter()
    at = start
    for word in segmenter.cut(run) if segmenter is not None else run:
        yield at, at + len(word)
        at += len(word)


def _characters(text: str, start: int, end: int) -> Iterator[Ends]:
    """Give the characters of a run, with the marks on them."""
    borders = [at for at in range(start, end) if at == start or _UNSPACED.match(text[at])]
    yield from zip(borders, [*borders[1:], end], strict=True)


@cache
def _segmenter() -> Any:  # Any: an optional module without types
    """Return the segmenter, or None."""
    try:
        import rjieba
    except ImportError:
        return None
    return rjieba
