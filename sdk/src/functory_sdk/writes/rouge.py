"""ROUGE: how many of the words, pairs of words and sequences of a reference a text has (Lin 2004).

Own code: the kept libraries bring nltk or torch for thirty lines, and know no Chinese. Words are lower-case and not stemmed; a
Chinese character is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from functory.contracts.task import Scorer
from functory_sdk.writes.metrics import WORDS

ROUGE: Mapping[str, str] = {
    "rouge1": "the mean F1 of the words that text and reference share, a Chinese character being one (Lin 2004)",
    "rouge2": "the same of two words that stand side by side",
    "rougeL": "the same of the longest sequence of words that both have in one order",
}


def rouge(text: str, reference: str) -> dict[str, float]:
    """Return ROUGE-1, ROUGE-2 and ROUGE-L of a text, as F1, 0 to 1."""
    mine, theirs = (WORDS.findall(one.lower()) for one in (text, reference))
    sizes = len(mine), len(theirs)
    return {
        "rouge1": _f1(_shared(mine, theirs), *sizes),
        "rouge2": _f1(_shared([*pairwise(mine)], [*pairwise(theirs)]), *(max(0, size - 1) for size in sizes)),
        "rougeL": _f1(common_sequence(mine, theirs), *sizes),
    }


def rouge_scorer(texts: Sequence[str], references: Sequence[str]) -> Scorer:
    """Return the means of `rouge` over the examples that count."""
    found = [rouge(text, reference) for text, reference in zip(texts, references, strict=True)]
    each = {name: np.asarray([one[name] for one in found], dtype=np.float64) for name in ROUGE}
    return lambda chosen: {name: float(values[chosen].mean()) for name, values in each.items()}


def common_sequence(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Return the length of the longest sequence that both have in one order, a bit for each of the first's items
    (Hyyrö 2004, section 3).
    """
    places: dict[Hashable, int] = {}
    for place, item in enumerate(one):
        places[item] = places.get(item, 0) | 1 << place
    full = (1 << len(one)) - 1
    left = full
    for item in other:
        matched = left & places.get(item, 0)
        left = (left + matched | left - matched) & full
    return len(one) - left.bit_count()


def _shared(mine: Sequence[Hashable], theirs: Sequence[Hashable]) -> int:
    return (Counter(mine) & Counter(theirs)).total()


def _f1(shared: int, mine: int, theirs: int) -> float:
    return 2 * shared / (mine + theirs) if shared else 0.0
