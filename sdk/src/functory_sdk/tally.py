"""Precision, recall and F1 from counts, as a function of which examples count: what intervals are made of.

The labels of a resample are those of the whole: a macro F1 over the labels that happen to be drawn is another number in each
draw, and its interval need not hold its own value. What a resample says nothing of (the F1 of a label that is not in it) is as
the whole says; counted as 0 it would pull every draw down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from functory.contracts.rows import Array


@dataclass(frozen=True)
class Rates:
    """Precision, recall and F1 of each label (labels,), or of one, or of all together."""

    precision: Array
    recall: Array
    f1: Array


@dataclass(frozen=True)
class Pairs:
    """Which example has which label; an example may have one several times.

    :param example: (pairs,) the example's number.
    :param label: (pairs,) the label's number.
    """

    example: Array
    label: Array

    @classmethod
    def of(cls, found: Sequence[Sequence[int]]) -> Pairs:
        """Return the pairs of each example's labels, by their numbers."""
        sizes = [len(labels) for labels in found]
        flat = [label for labels in found for label in labels]
        return cls(np.repeat(np.arange(len(found)), sizes), np.asarray(flat, dtype=np.int64))

    def counts(self, weights: Array, labels: int) -> Array:
        """Return how often each label stands (labels,), where each example counts so many times (examples,)."""
        counted: Array = np.bincount(self.label, weights=weights[self.example], minlength=labels)
        return counted


class Tally:
    """Counts of what is right, of what was said and of what is true.

    :param right: the labels that were said and are true, of each example; `said` and `true` likewise.
    :param labels: how many labels there are.
    """

    def __init__(
        self, right: Sequence[Sequence[int]], said: Sequence[Sequence[int]], true: Sequence[Sequence[int]], labels: int
    ) -> None:
        self._pairs = [Pairs.of(found) for found in (right, said, true)]
        self._examples, self._labels = len(said), labels
        self.whole = self._counts(np.arange(self._examples))

    @cached_property
    def seen(self) -> Array:
        """Which labels are said or true somewhere, (labels,) bool."""
        seen: Array = self.whole[1] + self.whole[2] > 0
        return seen

    def each(self, indices: Array | None = None) -> Rates:
        """Return the rates of each label, on the whole or on some examples."""
        return self._rates(indices, lambda counts: counts)

    def together(self, indices: Array | None = None) -> Rates:
        """Return the rates of all labels counted together."""
        return self._rates(indices, lambda counts: counts.sum(1))

    def macro_f1(self, indices: Array) -> float:
        """Return the mean of the labels' F1, over those that are said or true somewhere on the whole; 0 where none is."""
        return float(self.each(indices).f1[self.seen].mean()) if self.seen.any() else 0.0

    def rows(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Return precision, recall, F1 and support of each label, as a report has them."""
        rates = self.each()
        return [
            {
                "label": name,
                "precision": float(rates.precision[i]),
                "recall": float(rates.recall[i]),
                "f1": float(rates.f1[i]),
                "support": int(self.whole[2][i]),
            }
            for i, name in enumerate(names)
        ]

    def _counts(self, indices: Array) -> Array:
        """Return (3, labels): how often each label is right, said and true in some examples."""
        weights = np.bincount(indices, minlength=self._examples).astype(np.float64)
        return np.stack([pairs.counts(weights, self._labels) for pairs in self._pairs])

    def _rates(self, indices: Array | None, fold: Any) -> Rates:  # Any: how counts (3, labels) are taken together
        whole = _rates(fold(self.whole), None)
        return whole if indices is None else _rates(fold(self._counts(indices)), whole)


def _rates(counts: Array, whole: Rates | None) -> Rates:
    """Return rates from counts (3, …); where nothing was counted, the rate of the whole, 0 on the whole itself."""
    right, said, true = counts
    other = whole or Rates(*(np.zeros_like(right),) * 3)
    return Rates(
        _ratio(right, said, other.precision), _ratio(right, true, other.recall), _ratio(2 * right, said + true, other.f1)
    )


def _ratio(part: Array, whole: Array, otherwise: Array) -> Array:
    """Return a ratio; where it is 0 of 0, another number."""
    ratio: Array = np.where(whole > 0, part / np.maximum(whole, 1), otherwise)
    return ratio
