"""Several labels of one example: as a list, or in one text with a sign between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

SEPARATORS = (",", ";", "|", "、", "，", "；", "/", "+", "&")
"""What is found between labels in one text, most usual first."""


def parted(text: str, separator: str) -> tuple[str, ...]:
    """Return the labels of a text, each once, without the white space around them."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(separator) if part.strip()))


def joined_by(labels: Iterable[str], *, is_sure: bool = False) -> str:
    """Return the sign by which texts seem to join several labels each; empty where they seem to be one label each.

    It is where most of the parts stand in several texts, alone or with others: 'red', 'red,car' and 'car,blue' share two of
    three, 'rec/autos' and 'rec/boats' one of three.

    :param is_sure: several labels an example are expected: a sign in one text is enough.
    """
    texts = list(dict.fromkeys(labels))
    for separator in SEPARATORS:
        cut = [parted(text, separator) for text in texts]
        if not any(len(parts) > 1 for parts in cut):
            continue
        uses = Counter(part for parts in cut for part in parts)
        within = {part for parts in cut if len(parts) > 1 for part in parts}
        if is_sure or 2 * sum(uses[part] > 1 for part in within) >= len(within):
            return separator
    return ""
