"""Which language texts are in, by their scripts and a few words: a guess, for the choice of a backbone that reads it, and for a
report's parts.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import islice

TEXTS, SIGNS, WORDS = 200, 500, 15
"""So many texts are looked at, so much of each; so many different words tell something."""
COMMON = frozenset({"the", "of", "and", "to", "with", "is", "you"})
"""Words that English cannot do without, and its neighbours do not have, or seldom."""
LEAST = 0.02
"""Of all words of the barest English (titles, names of wares) more than this part are common ones; of other languages, less."""
FOREIGN = 0.1
"""Of all letters of English texts less than this part are in another script than Latin."""
LANGUAGES = {"CJK": "Chinese", "HANGUL": "Korean", "HIRAGANA": "Japanese", "KATAKANA": "Japanese"}
"""The languages that a script tells, by the script."""
KANA = 0.05
"""Of the letters of a Japanese text more than this part are kana; a Chinese one has none."""


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


def language_of(text: str) -> str:
    """Return the language of a text as far as its script tells it: ``Chinese``, ``Korean``, ``Latin script``; empty where it
    has no letters.
    """
    scripts = Counter(_script(sign) for sign in text[:SIGNS] if sign.isalpha())
    if not scripts:
        return ""
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > KANA * scripts.total():
        return "Japanese"
    most = max(scripts, key=lambda script: scripts[script])
    return LANGUAGES.get(most, f"{most.capitalize()} script")


@cache
def _script(sign: str) -> str:
    """Return the script of a letter, as the first word of its name has it."""
    return unicodedata.name(sign, "UNKNOWN").removeprefix("FULLWIDTH ").split()[0].split("-")[0]
