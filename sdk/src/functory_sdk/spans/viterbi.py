"""The likeliest row of tags that IOB2 allows (Viterbi 1967), and the spans it names.

Tags are numbered 0 for O, 1 + 2·label for B and 2 + 2·label for I, so an odd tag begins and an even one goes on.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from functory.contracts.rows import Array


def best_path(scores: Array) -> Array:
    """Return the tags (units,) whose scores have the greatest sum among those where each I follows its B or I.

    :param scores: (units, tags) log-probabilities.
    """
    path: Array = scores.argmax(1)
    return path if is_legal(path) else _search(scores)


def is_legal(path: Array) -> bool:
    """Whether every I follows a B or an I of its own label."""
    before = np.concatenate([[0], path[:-1]])
    is_inside = (path > 0) & (path % 2 == 0)
    return bool((~is_inside | (before == path) | (before == path - 1)).all())


def _search(scores: Array) -> Array:
    """Return the best legal path step by step: O and B may follow anything, an I its own B or I."""
    count, width = scores.shape
    inside = np.arange(2, width, 2)  # (labels,)
    came_from = np.zeros((count, width), dtype=np.int64)
    best = scores[0].astype(np.float64)  # (tags,) the best path that ends in each tag
    best[inside] = -np.inf
    for unit in range(1, count):
        before = np.full(width, best.argmax())
        before[inside] = np.where(best[inside] > best[inside - 1], inside, inside - 1)
        came_from[unit] = before
        best = best[before] + scores[unit]
    path = np.zeros(count, dtype=np.int64)
    path[-1] = best.argmax()
    for unit in range(count - 1, 0, -1):
        path[unit - 1] = came_from[unit, path[unit]]
    return path


def runs(path: Array) -> Iterator[tuple[int, int, int]]:
    """Give each entity of a legal path: its first unit, the one after its last, the number of its label."""
    starts = np.flatnonzero(path % 2)
    for start in starts.tolist():
        stop = start + 1
        while stop < len(path) and path[stop] == path[start] + 1:
            stop += 1
        yield start, stop, int(path[start] - 1) // 2
