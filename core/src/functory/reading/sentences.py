"""Cuts text into sentences, in scripts with spaces and without.

Apart from words, which explanations weigh: sentences are what long texts are parted into, what summaries are taken from, and
what a limit on what is written counts.
"""

from __future__ import annotations

import re

from functory.reading.segmentation import Ends

_CLOSING = r"[\"'”’»)\]」』）】》〉]*"
_BORDER = re.compile(rf"(?:[.!?…]+{_CLOSING}(?=\s))|(?:[。！？｡]+{_CLOSING})|(?:\n)")
"""Where a sentence may end: at its mark before a space, at a mark of a script without spaces, at the end of a line."""
_ABBREVIATED = frozenset(
    {"mr", "mrs", "ms", "dr", "prof", "sr", "jr", "st", "vs", "etc", "e.g", "i.e", "cf", "al", "fig", "no", "vol", "pp", "ed"}
    | {"approx", "inc", "ltd", "co", "corp", "dept", "est", "gen", "gov", "sen", "rep", "rev", "capt", "col", "lt", "sgt"}
    | {"jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"}
)
"""Words before whose dot no sentence ends."""
_INITIAL = re.compile(r"(?:^|[\s(\"'“‘])(?:[^\W\d_]\.)*[^\W\d_]$")
_WORD = re.compile(r"[^\s(\"'“‘]+$")


def sentence_spans(text: str) -> list[Ends]:
    """Return the sentences of a text, first character and the one after the last, in order, without the spaces between them.

    A sentence ends where another begins, so that more text changes nothing of those before the last.
    """
    found: list[Ends] = []
    start = 0
    for border in _BORDER.finditer(text):
        if border.end() > start and _ends(text, border):
            _keep(found, text, start, border.end())
            start = border.end()
    _keep(found, text, start, len(text))
    return found


def _keep(found: list[Ends], text: str, start: int, end: int) -> None:
    """Add a sentence without the spaces around it, where anything is left."""
    whole = text[start:end]
    kept = whole.strip()
    if kept:
        first = start + len(whole) - len(whole.lstrip())
        found.append((first, first + len(kept)))


def _ends(text: str, border: re.Match[str]) -> bool:
    """Return whether a sentence ends at a border: not in an abbreviation, and not before a small letter."""
    mark = border.group()
    if mark == "\n" or mark[0] in "。！？｡":
        return True
    follows = text[border.end() :].lstrip()[:1]
    if follows.islower():
        return False
    if mark != ".":
        return True
    before = text[max(0, border.start() - 20) : border.start()]
    word = _WORD.search(before)
    is_abbreviated = word is not None and word.group().casefold() in _ABBREVIATED
    return not is_abbreviated and not (_INITIAL.search(before) and before[-1].isupper())
