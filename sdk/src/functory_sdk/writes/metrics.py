"""How well a written text is what was wanted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from functory.contracts.task import Scorer
from functory_sdk.writes.types import Written

WORDS = re.compile(r"[一-鿿]|[^\W一-鿿]+")
"""Words; a Chinese character is one."""


def scorer(outputs: Sequence[Written], references: Sequence[str]) -> Scorer:
    """Return exact match (outer spaces aside) and F1 of shared words (Rajpurkar et al. 2016, section 6.1)."""
    pairs = [(output.text, reference) for output, reference in zip(outputs, references, strict=True)]
    exact = np.asarray([text.strip() == reference.strip() for text, reference in pairs], dtype=np.float64)
    shared = np.asarray([overlap(text, reference) for text, reference in pairs], dtype=np.float64)
    return lambda chosen: {"exact_match": float(exact[chosen].mean()), "word_f1": float(shared[chosen].mean())}


def word_count(text: str) -> int:
    """Return how many words a text has; a Chinese character is one."""
    return sum(1 for _ in WORDS.finditer(text))


def overlap(text: str, reference: str) -> float:
    """Return the F1 of the words that two texts share, 0 to 1; two texts without words agree."""
    mine, theirs = (Counter(WORDS.findall(one.lower())) for one in (text, reference))
    if not mine or not theirs:
        return float(mine == theirs)
    common = sum((mine & theirs).values())
    return 2 * common / (sum(mine.values()) + sum(theirs.values()))
