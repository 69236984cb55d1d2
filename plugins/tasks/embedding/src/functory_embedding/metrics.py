"""How good vectors are: their cosines beside people's scores, and how far up what a text looks for is found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from functory_embedding.types import Compared, Embedded
from functory_sdk import Array, Scorer, correlation, ranks

RECALL = (1, 5, 10)
METRICS = {
    "spearman": "with scores: the correlation of the cosines' ranks with theirs, ties sharing the mean of their ranks",
    "pearson": "with scores: the correlation of the cosines with them (Pearson)",
    "mrr": "without: 1 / the place of a text's other among all others by cosine, in the mean; equal texts are one item",
    **{f"recall_{count}": f"without: how often it is among the first {count}" for count in RECALL},
}
AT_ONCE = 1024
"""Texts that are compared with all others at a time."""


def correlations(cosines: Sequence[float], scores: Sequence[float]) -> Scorer:
    """Return how well cosines follow scores, as a function of which examples count; 0 where all of a side are the same."""
    said, true = np.asarray(cosines, dtype=np.float64), np.asarray(scores, dtype=np.float64)

    def score(indices: Array) -> dict[str, float]:
        one, other = said[indices], true[indices]
        return {"spearman": correlation(ranks(one), ranks(other)), "pearson": correlation(one, other)}

    return score


def retrieval(outputs: Sequence[Embedded], examples: Sequence[Compared]) -> Scorer:
    """Return how far up each text's other is found among the others of all examples, whichever of the texts count.

    Where the same text stands with several others, each is looked for without the rest of them. Of items at the same
    cosine each order is as likely.
    """
    items = {str(example.other): output.other for output, example in zip(outputs, examples, strict=True)}
    place = {text: index for index, text in enumerate(items)}
    wanted = np.asarray([place[str(example.other)] for example in examples])
    belongs: dict[str, set[int]] = {}
    for example, item in zip(examples, wanted.tolist(), strict=True):
        belongs.setdefault(example.text, set()).add(item)
    beside = [sorted(belongs[example.text] - {item}) for example, item in zip(examples, wanted.tolist(), strict=True)]
    gains = _gains(_units([one.vector for one in outputs]), _units([*items.values()]), wanted, beside)

    def score(indices: Array) -> dict[str, float]:
        return {name: float(values[indices].mean()) for name, values in gains.items()}

    return score


def _gains(queries: Array, items: Array, wanted: Array, beside: Sequence[Sequence[int]]) -> dict[str, Array]:
    """Return what each query adds to each metric, (queries,)."""
    ahead, level = [], []
    for start in range(0, len(queries), AT_ONCE):
        cosines = np.round(queries[start : start + AT_ONCE] @ items.T, 6)
        for row, item, others in zip(cosines, wanted[start:], beside[start:], strict=False):
            right = row[item]
            row[list(others)] = -np.inf
            ahead.append(int((row > right).sum()))
            level.append(int((row == right).sum()))
    before, tied = np.asarray(ahead), np.asarray(level)
    below = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, len(items) + 1))])  # 1 + 1/2 + … of so many
    shares = {f"recall_{count}": np.clip((count - before) / tied, 0, 1) for count in RECALL}
    return {"mrr": (below[before + tied] - below[before]) / tied, **shares}


def _units(vectors: Sequence[Sequence[float] | None]) -> Array:
    """Return vectors at length 1, (vectors, width)."""
    found = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    units: Array = found / np.where(lengths > 0, lengths, 1)
    return units
