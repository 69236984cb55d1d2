"""Probabilities by name, as outputs give them, and names as words. Apart, because every answer names ten thousand labels."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from functory.contracts.certainty import DIGITS
from functory.contracts.rows import Array


def named(names: Sequence[str], shares: Array) -> dict[str, float]:
    """Return the probability of each name, rounded.

    :param shares: (names,)
    """
    return dict(zip(names, np.round(np.asarray(shares, dtype=np.float64), DIGITS).tolist(), strict=True))


def in_words(label: str, separator: str) -> str:
    """Return a label as words: without what joins them in a name, and of a path its steps.

    :param separator: what stands between the steps of a path; empty where it is none.
    """
    apart = label.replace(separator, " ") if separator else label
    return " ".join(re.sub(r"[_-]+", " ", apart).split()) or label
