"""The words of a text for counting: words and marks as they are written, but for case; signs one by one where no spaces part
words. A tokenizer cuts otherwise: what is counted here is what a person can look for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from functory.contracts.texts import texts_of
from functory.data.examples import Examples

HAN = "\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese characters and Japanese kana, as a range of a regular expression."""
UNITS = re.compile(rf"[{HAN}]|[^\W{HAN}]+|[^\w\s]+")
LONGEST = 4000
"""Characters of a text that are looked at."""


def units(text: str) -> list[str]:
    """Return the words of a text."""
    return UNITS.findall(text[:LONGEST].casefold())


def joined(words: Sequence[str]) -> str:
    """Return words as they are told."""
    parts = [words[0], *((" " if _has_space(a, b) else "") + b for a, b in pairwise(words))]
    return "".join(parts)


def texts(
    example: Any, fields: Sequence[str]
) -> Iterator[tuple[str, str]]:  # Any: an instance of the task's own Example
    """Give the texts of some fields of an example; what stands in a list or a part of its own is one text."""
    for field in fields:
        found = "\n".join(texts_of(getattr(example, field)).values())
        if found:
            yield field, found


def spread(side: Examples, most: int) -> Examples:
    """Return at most so many examples, evenly spread over those there are."""
    return side if len(side) <= most else side.take(n * len(side) // most for n in range(most))


def _has_space(a: str, b: str) -> bool:
    return not (re.match(f"[{HAN}]", a) or re.match(f"[{HAN}]", b))
