"""How varied texts are: of all words, and of all pairs of words, how many are different ones (Li et al. 2016, section 5.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from functory.contracts.rows import Array
from functory.contracts.task import Scorer
from functory_sdk.writes.metrics import WORDS

DISTINCT: Mapping[str, str] = {
    "distinct1": "of all words that were written, how many are different ones (Li et al. 2016)",
    "distinct2": "the same of two words that stand side by side",
}


def distinct_scorer(texts: Sequence[str]) -> Scorer:
    """Return both shares over the texts that count.

    A word that stands k times counts one k-th at each place, as often as it stands in all texts: over all the share is what it
    is called, and a sample of the texts, which has fewer words, is not more varied for that.
    """
    words = [WORDS.findall(text.lower()) for text in texts]
    parts = {"distinct1": _parts(words), "distinct2": _parts([list(pairwise(some)) for some in words])}

    def score(chosen: Array) -> Mapping[str, float]:
        return {
            name: float(different[chosen].sum() / max(1.0, count[chosen].sum())) for name, (different, count) in parts.items()
        }

    return score


def _parts(items: Sequence[Sequence[Hashable]]) -> tuple[Array, Array]:
    """Return of each text its part of what is different, and how many items it has."""
    counts = Counter(item for some in items for item in some)
    different = [sum(1 / counts[item] for item in some) for some in items]
    return np.asarray(different, dtype=np.float64), np.asarray([len(some) for some in items], dtype=np.float64)
