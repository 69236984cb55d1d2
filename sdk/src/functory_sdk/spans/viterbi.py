"""The likeliest row of tags that its scheme allows (Viterbi 1967), and the stretches it names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from functory.contracts.rows import Array
from functory_sdk.spans.schemes import Scheme


def best_path(scores: Array, scheme: Scheme) -> Array:
    """Return the tags (units,) whose scores have the greatest sum among the rows that the scheme allows.

    :param scores: (units, tags) log-probabilities.
    """
    path: Array = scores.argmax(1)
    return path if scheme.is_legal(path) else _search(scores, scheme)


def _search(scores: Array, scheme: Scheme) -> Array:
    """Return the best legal path step by step: what goes on follows its own label, everything else what may end."""
    count, width = scores.shape
    grid = np.arange(scheme.outside, width).reshape(-1, len(scheme.letters))  # (labels, letters) the tags' numbers
    going_on, opening = grid[:, scheme.going_on], grid[:, scheme.open]
    may_end = np.setdiff1d(np.arange(width), opening) if scheme.is_closed else np.arange(width)
    came_from = np.zeros((count, width), dtype=np.int64)
    best = scores[0].astype(np.float64)  # (tags,) the best path that ends in each tag
    best[going_on] = -np.inf
    for unit in range(1, count):
        before = np.full(width, may_end[best[may_end].argmax()])
        own = np.take_along_axis(opening, best[opening].argmax(1)[:, None], 1)  # (labels, 1)
        before[going_on] = own
        came_from[unit] = before
        best = best[before] + scores[unit]
    path = np.zeros(count, dtype=np.int64)
    path[-1] = may_end[best[may_end].argmax()]
    for unit in range(count - 1, 0, -1):
        path[unit - 1] = came_from[unit, path[unit]]
    return path


def runs(path: Array, scheme: Scheme) -> Iterator[tuple[int, int, int]]:
    """Give each stretch of a row of tags: its first unit, the one after its last, the number of its label."""
    label, _ = scheme.parted(path)
    goes_on = scheme.goes_on(path)
    for start in np.flatnonzero((label >= 0) & ~goes_on).tolist():
        stop = start + 1
        while stop < len(path) and goes_on[stop]:
            stop += 1
        yield start, stop, int(label[start])
