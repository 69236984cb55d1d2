"""Which sentences stand for a text: those that are like many others (Erkan and Radev 2004), and unlike each other
(Carbonell and Goldstein 1998).
"""

from __future__ import annotations

import numpy as np

from functory_sdk import Array

DAMPING, TURNS = 0.85, 50
"""As in PageRank; after so many turns nothing moves by what a rounding does."""


def likenesses(vectors: Array) -> Array:
    """Return how alike sentences are, (sentences, sentences), 0 to 1: cosines, of which the least of the text is nothing.

    Vectors of one encoder lie in a cone, some in a narrow one: what tells is by how much they are nearer than others.

    :param vectors: (sentences, width).
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / np.where(lengths > 0, lengths, 1)
    cosines = units @ units.T
    low = float(cosines.min())
    found: Array = np.clip((cosines - low) / max(1 - low, 1e-9), 0, 1)
    return found


def centralities(alike: Array) -> Array:
    """Return how central each sentence is, (sentences,), 1 for the most central: where a walk from sentence to sentence is most
    often that goes to what is like the one where it is.
    """
    count = len(alike)
    others = alike * (1 - np.eye(count))
    sums = others.sum(1, keepdims=True)
    steps = np.where(sums > 0, others / np.where(sums > 0, sums, 1), 1 / count)
    found = np.full(count, 1 / count)
    for _ in range(TURNS):
        found = (1 - DAMPING) / count + DAMPING * (found @ steps)
    central: Array = found / found.max()
    return central


def taken(worth: Array, alike: Array, sizes: list[int], *, count: int, words: int, diversity: float) -> tuple[list[int], float]:
    """Return the sentences that are taken, in the order in which they are, and the least lead of one over the next best.

    :param worth: (sentences,) of each by itself.
    :param sizes: of each, its words.
    :param count: at most so many.
    :param words: at most so many words together; any number when 0. Where no sentence fits, the best is taken all the same.
    :param diversity: how much likeness to what was taken counts against a sentence.
    """
    chosen: list[int] = []
    lead = 1.0
    while len(chosen) < count:
        left = words - sum(sizes[place] for place in chosen) if words else max(sizes, default=0)
        open_ = [place for place in range(len(worth)) if place not in chosen and sizes[place] <= left]
        if not open_ and not chosen and len(worth):
            open_ = list(range(len(worth)))
        if not open_:
            break
        scores = [_score(place, worth, alike, chosen, diversity) for place in open_]
        best = max(range(len(open_)), key=lambda one: (scores[one], -open_[one]))
        lead = min([lead, *(scores[best] - score for one, score in enumerate(scores) if one != best)])
        chosen.append(open_[best])
    return chosen, lead


def _score(place: int, worth: Array, alike: Array, chosen: list[int], diversity: float) -> float:
    nearest = max((float(alike[place, one]) for one in chosen), default=0.0)
    return (1 - diversity) * float(worth[place]) - diversity * nearest
