"""How one side differs from another: in its labels, its lengths, its words. What was learned on the one, and is measured on
the other, holds for what comes later only where that is as the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from functory.data.examples import Examples
from functory.data.sampling import labels_of
from functory.data.splits import Key
from functory.data.units import joined, texts, units

BEYOND_LUCK = 4.0
"""Standard deviations that a difference must be from none to be told: chance alone makes one in 16,000 so large."""
SHARE = 0.1
"""The difference of two shares that is worth telling."""
TOLD_APART = 0.6
"""The part of pairs, one example of each side, in which a reader of words names the right one; 0.5 is guessing."""
FEW = 30
"""Examples of a side that are too few to tell a difference."""
NAMED = 3


@dataclass(frozen=True)
class LabelShift:
    """The label whose share differs most; the shares are of each side's examples."""

    label: Hashable
    first: float
    second: float


@dataclass(frozen=True)
class LengthShift:
    """The middle lengths of the texts, in characters."""

    first: float
    second: float


@dataclass(frozen=True)
class WordShift:
    """How well words tell the sides apart.

    :param share: the part of pairs in which they do, on examples that they were not chosen on.
    :param first: words that stand mostly on the first side.
    :param second: on the second.
    """

    share: float
    first: tuple[str, ...]
    second: tuple[str, ...]


Shift = LabelShift | LengthShift | WordShift


def shifts(first: Examples, second: Examples, stratify: Key | None) -> list[Shift]:
    """Return how two sides differ, beyond what chance explains.

    :param stratify: an example's class or labels; None passes over the labels.
    """
    if min(len(first), len(second)) < FEW:
        return []
    found = [_labels(first, second, stratify) if stratify else None, _lengths(first, second), _words(first, second)]
    return [shift for shift in found if shift is not None]


def _labels(first: Examples, second: Examples, stratify: Key) -> LabelShift | None:
    sides = (first, second)
    counts = [Counter(label for example in side for label in labels_of(stratify(example))) for side in sides]
    worst: LabelShift | None = None
    for label in sorted({*counts[0], *counts[1]}, key=repr):
        one, other = (count[label] / len(side) for count, side in zip(counts, sides, strict=True))
        both = (counts[0][label] + counts[1][label]) / (len(first) + len(second))
        noise = (both * (1 - both) * (1 / len(first) + 1 / len(second))) ** 0.5
        is_told = abs(one - other) >= SHARE and abs(one - other) > BEYOND_LUCK * noise
        if is_told and (worst is None or abs(one - other) > abs(worst.first - worst.second)):
            worst = LabelShift(label, one, other)
    return worst


def _lengths(first: Examples, second: Examples) -> LengthShift | None:
    one, other = (_sizes(side) for side in (first, second))
    if abs(_told_apart(one, other) - 0.5) < max(TOLD_APART - 0.5, BEYOND_LUCK * _noise(len(one), len(other))):
        return None
    return LengthShift(float(np.median(one)), float(np.median(other)))


def _sizes(side: Examples) -> NDArray[np.float64]:
    return np.array([sum(len(text) for _, text in texts(example, side.inputs)) for example in side], dtype=np.float64)


def _words(first: Examples, second: Examples) -> WordShift | None:
    """Learn on every second example which words stand on which side (naive Bayes), and tell the others apart by them."""
    sides = [[_bag(example, side) for example in side] for side in (first, second)]
    weights = _weights(*(bags[::2] for bags in sides))
    one, other = (np.array([_mean(bag, weights) for bag in bags[1::2]]) for bags in sides)
    share = _told_apart(one, other)
    if share - 0.5 < max(TOLD_APART - 0.5, BEYOND_LUCK * _noise(len(one), len(other))):
        return None
    return WordShift(share, *_telling(*sides))


def _bag(example: object, side: Examples) -> set[str]:
    """Return the words of an example, and the pairs that stand side by side."""
    read = [units(text) for _, text in texts(example, side.inputs)]
    return {one for words in read for one in words} | {joined(pair) for words in read for pair in pairwise(words)}


def _weights(first: Sequence[set[str]], second: Sequence[set[str]]) -> dict[str, float]:
    """Return of each word how much likelier it is on the second side, as a logarithm."""
    counts = [Counter(word for bag in bags for word in bag) for bags in (first, second)]
    many = [len(first) + 1, len(second) + 1]
    return {
        word: float(np.log((counts[1][word] + 0.5) / many[1]) - np.log((counts[0][word] + 0.5) / many[0]))
        for word in {*counts[0], *counts[1]}
        if counts[0][word] + counts[1][word] > 1
    }


def _mean(bag: set[str], weights: dict[str, float]) -> float:
    """Return the mean weight of the words that have one: a sum would tell long texts from short ones."""
    known = [weights[word] for word in sorted(bag) if word in weights]
    return sum(known) / len(known) if known else 0.0


def _telling(first: Sequence[set[str]], second: Sequence[set[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words whose shares differ most, of each side."""
    counts = [Counter(word for bag in bags for word in bag) for bags in (first, second)]
    gap = {w: counts[1][w] / len(second) - counts[0][w] / len(first) for w in {*counts[0], *counts[1]}}
    order = sorted(gap, key=lambda word: (gap[word], word))
    return tuple(w for w in order[:NAMED] if gap[w] < 0), tuple(w for w in order[: -NAMED - 1 : -1] if gap[w] > 0)


def _told_apart(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the part of pairs in which the second has the larger number, equal ones half (Mann and Whitney 1947)."""
    order = np.sort(first)
    below, up_to = (np.searchsorted(order, second, side) for side in ("left", "right"))
    return float((below + up_to).mean() / 2 / len(first))


def _noise(first: int, second: int) -> float:
    """Return the standard deviation of that part where the sides do not differ."""
    found: float = ((first + second + 1) / (12 * first * second)) ** 0.5
    return found
