"""The floor of tasks that label: a regression on n-grams that learned from the same examples as the function.

It is fitted by torch, as everything is that learns; where there is none, there is no floor to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from functory.contracts.rows import Array
from functory.reading.ngrams import Texts, Vocabulary, ngrams_of
from functory_sdk.labels.classify import constant, gold, probabilities, width
from functory_sdk.labels.types import Classification, Labels

MOST_ROWS, MOST_CHARACTERS = 5000, 4000
"""What is learned from at most, so that a floor takes seconds: rows, and characters of a text."""
MOST_WEIGHTS = 2_000_000
"""n-grams times labels, at most: those that stand in the most rows."""
MOST_SCORES = 200_000_000
"""Rows times labels times steps, at most: thousands of labels have fewer steps."""
FEWEST_STEPS, MOST_STEPS = 4, 100
STRENGTH = 3.0
"""The inverse penalty, summed over the rows: good on most sets of short texts, in English and in Chinese."""
CHUNK = 4096
"""Rows that are read at once."""


@dataclass(frozen=True)
class Floor:
    """A regression on n-grams.

    :param known: the n-grams.
    :param scores: what gives the scores of rows, (rows, width), from their counted n-grams.
    :param state: the task's.
    :param is_symmetric: the order of the texts says nothing.
    """

    known: Vocabulary
    scores: Callable[[Sequence[Any]], Array]  # Any: counted n-grams
    state: Labels
    is_symmetric: bool = False

    def answers(self, texts: Sequence[Texts]) -> list[Classification]:
        """Return an output for each input: its likeliest label, or those that are likelier than not."""
        chunks = [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
        return [answer for chunk in chunks for answer in self._of(chunk)]

    def _of(self, texts: Sequence[Texts]) -> list[Classification]:
        found = ngrams_of([_cut(one) for one in texts], is_symmetric=self.is_symmetric)
        state = self.state
        shares = probabilities(self.scores(found).astype(np.float64), state)  # (rows, labels)
        best = [state.labels[place] for place in shares.argmax(-1)]
        if state.mode != "multi":
            return [constant(label, (label,), state) for label in best]
        given = [tuple(state.labels[place] for place in np.flatnonzero(row >= 0.5)) for row in shares]
        return [constant(label, labels, state) for label, labels in zip(best, given, strict=True)]


def fit_floor(
    texts: Sequence[Texts], right: Sequence[Sequence[str]], state: Labels, *, is_symmetric: bool = False
) -> Floor | None:
    """Return a regression on the n-grams of some inputs; None where there is nothing to learn, or no torch.

    :param texts: those of each example, as many of each.
    :param right: the right labels of each.
    :param is_symmetric: the order of the texts says nothing.
    """
    try:
        from functory_sdk.torch.sparse import regression
    except ModuleNotFoundError as error:
        if error.name != "torch":  # of a torch that is there and broken, its own error tells
            raise
        return None
    chosen = _drawn(right)
    golds = [gold(right[row], state) for row in chosen]
    found = ngrams_of([_cut(texts[row]) for row in chosen], is_symmetric=is_symmetric)
    if not any(len(code) for code, _ in found) or all(np.array_equal(one, golds[0]) for one in golds):
        return None
    known = Vocabulary.of(found, max(1, MOST_WEIGHTS // width(state)))
    steps = max(FEWEST_STEPS, min(MOST_STEPS, MOST_SCORES // (len(chosen) * width(state))))
    scores = regression(found, known, np.stack(golds), width(state), 1 / (STRENGTH * len(chosen)), steps)
    return Floor(known, scores, state, is_symmetric)


def _drawn(right: Sequence[Sequence[str]]) -> list[int]:
    """Return which examples are learned from: all, or of very many some."""
    if len(right) <= MOST_ROWS:
        return list(range(len(right)))
    order = np.argsort(np.random.PCG64(0).random_raw(len(right)), kind="stable")
    return sorted(order[:MOST_ROWS].tolist())


def _cut(texts: Texts) -> Texts:
    return tuple(text[:MOST_CHARACTERS] for text in texts)
