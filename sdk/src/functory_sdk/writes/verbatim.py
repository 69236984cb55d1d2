"""Words of a text as a guide knows them: a run of them is written as it stands there, and found there again.

Apart from tasks, because each that takes something out of a text is right only with what the text holds: small models invent
names that are nowhere in what they read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from functory_sdk.spans.graphemes import grapheme_borders

_WORDS = re.compile(r"[^\W぀-ヿ㐀-鿿가-힯]+|\s+|\S")
"""Words, white space, and signs; each character of a script without spaces is a word."""


def run_rule(name: str, text: str, most: int, *, is_json: bool = False) -> str:
    """Return a terminal of a Lark grammar: a run of a text's words as they stand there, white space between them as one space.

    :param name: the terminal's, in capitals.
    :param text: with a word in it.
    :param most: the most characters of a run.
    :param is_json: as JSON spells it between quotes.
    """
    chunks = [" " if part.isspace() else part for part in _chunks(text)]
    told = [json.dumps(part, ensure_ascii=False)[1:-1] for part in chunks] if is_json else chunks
    ends = rf"\S|\S(.|\n){{0,{max(0, most - 2)}}}\S"
    substrings = json.dumps({"substring_chunks": told}, ensure_ascii=False)
    return f"{name}: {name}_PARTS & /{ends}/\n{name}_PARTS: %regex {substrings}\n"


def spelled(text: str) -> str:
    """Return a stretch of a text as `run_rule` lets it be written."""
    return " ".join(text.split())


def places_of(run: str, text: str) -> Iterator[tuple[int, int]]:
    """Give where a run of words stands in the text that it was taken from: first characters, and ends. None stands inside a
    word.
    """
    words = run.split()
    borders = _borders(text) if words else frozenset()
    for found in re.finditer(r"(?=(" + r"\s+".join(map(re.escape, words)) + "))", text) if words else ():
        start, end = found.span(1)
        if start in borders and end in borders:
            yield start, end


def _chunks(text: str) -> list[str]:
    """Return the words of a text and what stands between them, none of which cuts a character as people see it."""
    borders = sorted(_borders(text))
    return [text[start:end] for start, end in pairwise(borders)]


def _borders(text: str) -> frozenset[int]:
    """Return where words begin and end."""
    whole = grapheme_borders(text)
    places = {0, len(text), *(place for found in _WORDS.finditer(text) for place in found.span())}
    return frozenset(place for place in places if place in (0, len(text)) or bool(np.asarray(whole)[place]))
