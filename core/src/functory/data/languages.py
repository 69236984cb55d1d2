"""Whether texts are English: for the choice of a backbone that reads their language. A guess, by scripts and a few words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import islice

TEXTS, SIGNS, WORDS = 200, 500, 15
"""So many texts are looked at, so much of each; so many different words tell something."""
COMMON = frozenset({"the", "of", "and", "to", "with", "is", "you"})
"""Words that English cannot do without, and its neighbours do not have, or seldom."""
LEAST = 0.02
"""Of all words of the barest English (titles, names of wares) more than this part are common ones; of other languages, less."""
FOREIGN = 0.1
"""Of all letters of English texts less than this part are in another script than Latin."""


def is_english(texts: Iterable[str]) -> bool:
    """Whether texts are English, or too few to tell."""
    read = " ".join(text[:SIGNS] for text in islice(texts, TEXTS))
    letters = [sign for sign in read if sign.isalpha()]
    if sum(not _is_latin(sign) for sign in letters) > FOREIGN * len(letters):
        return False
    words = re.findall(r"[^\W\d_]+", read.lower())
    return len(set(words)) < WORDS or sum(word in COMMON for word in words) > LEAST * len(words)


def _is_latin(sign: str) -> bool:
    return sign.isascii() or unicodedata.name(sign, "").startswith(("LATIN", "FULLWIDTH LATIN"))
