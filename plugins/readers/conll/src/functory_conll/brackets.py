"""CoNLL-2011's and 2012's tags, which open and close brackets: ``(PERSON*``, ``*``, ``*)``, ``(DATE)``."""

from __future__ import annotations

from collections.abc import Sequence


def from_brackets(tag: str, before: Sequence[str]) -> str:
    """Return a tag in BIOES.

    :param before: the tags of the sentence so far, likewise.
    """
    label = tag.strip("(*)")
    if label:
        return f"S-{label}" if tag.endswith(")") else f"B-{label}"
    letter, _, under_way = before[-1].partition("-") if before else ("O", "", "")
    if letter not in ("B", "I"):
        return "O"
    return f"E-{under_way}" if tag.endswith(")") else f"I-{under_way}"
