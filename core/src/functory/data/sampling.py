"""A part of the examples, drawn while they pass: by the seed, each label by its share, in memory for the part alone.

Each example draws a number, and those with the smallest are the part. A label's share of what has passed only tells how
many of them it may keep, so what was let go would not have been taken later (bottom-k sampling: Cohen and Kaplan 2007,
section 2), but for a fluctuation that the slack makes rarer than one in a million.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

SLACK = 8  # examples beyond twice a label's share that are kept
PER_LIMIT = 20
"""Of rows whose end nobody knows, so many times the limit are looked at."""


class Drawn(NamedTuple):
    """One example with the number it drew."""

    number: float
    row: int
    example: Any  # Any: an instance of the task's own Example
    place: str


@dataclass(frozen=True)
class Limit:
    """How many examples are kept.

    :param count: at most so many.
    :param seed: decides which.
    :param stratify: an example's labels.
    """

    count: int
    seed: int
    stratify: Callable[[Any], Any]


class All:
    """Keeps every example that passes: no limit."""

    def __init__(self) -> None:
        self._items: list[Any] = []
        self._places: list[str] = []

    def add(self, row: int, example: Any, place: str) -> None:
        """Let an example pass."""
        self._items.append(example)
        self._places.append(place)

    def chosen(self) -> tuple[list[Any], list[str]]:  # Any: as above
        """Return the examples and their places."""
        return self._items, self._places

    @property
    def passed(self) -> int:
        """How many examples have passed."""
        return len(self._items)


class Reservoir:
    """What is kept of the examples that have passed.

    :param limit: how many there are in the end, at most.
    :param seed: decides which.
    :param stratify: an example's labels; of several, the one that has been the rarest stands for it.
    """

    def __init__(self, limit: int, seed: int, stratify: Callable[[Any], Any]) -> None:
        self._limit, self._stratify = limit, stratify
        self._random = random.Random(seed)
        self._counts: Counter[Hashable] = Counter()  # of all that have passed
        self._kept: dict[Hashable, list[tuple[float, int, Drawn]]] = {}  # the largest number first, see `heapq`
        self._size = 0

    def add(self, row: int, example: Any, place: str) -> None:
        """Let an example pass."""
        labels = labels_of(self._stratify(example)) or (None,)
        label = min(labels, key=lambda label: (self._counts[label], repr(label))) if len(labels) > 1 else labels[0]
        self._counts[label] += 1
        number = self._random.random()
        kept = self._kept.setdefault(label, [])
        if len(kept) >= self._limit:
            if number < -kept[0][0]:
                heapq.heapreplace(kept, (-number, -row, Drawn(number, row, example, place)))
            return
        heapq.heappush(kept, (-number, -row, Drawn(number, row, example, place)))
        self._size += 1
        if self._size > 4 * self._limit + SLACK * min(len(self._kept), self._limit):
            self._shrink()

    def chosen(self) -> tuple[list[Any], list[str]]:  # Any: as above
        """Return the part and its places, in the order of the source."""
        quotas = self._quotas()
        part = [drawn for label, kept in self._kept.items() for drawn in _least(kept, quotas[label])]
        part.sort(key=lambda drawn: drawn.row)
        return [drawn.example for drawn in part], [drawn.place for drawn in part]

    @property
    def passed(self) -> int:
        """How many examples have passed."""
        return sum(self._counts.values())

    @property
    def left_out(self) -> Sequence[Hashable]:
        """The labels of which the part holds nothing: there are more of them than it holds examples."""
        quotas = self._quotas()
        return [label for label in self._counts if not quotas[label]]

    def _quotas(self) -> Counter[Hashable]:
        """Return how many of each label are in the part, of those that still have an example."""
        return quotas_of(Counter({label: self._counts[label] for label in self._kept}), self._limit)

    def _shrink(self) -> None:
        """Keep of each label twice its share, and some more as far as there is room; where there are far more labels
        than examples may stay, some labels go.
        """
        share = self._limit / self.passed
        slack = max(1, min(SLACK, 2 * self._limit // len(self._kept)))
        part = {label: _least(kept, int(2 * share * self._counts[label]) + slack) for label, kept in self._kept.items()}
        if len(part) > 2 * self._limit:
            first = sorted(part, key=lambda label: part[label][0].number)[: 2 * self._limit]
            part = {label: part[label] for label in first}
        self._kept = {label: [(-drawn.number, -drawn.row, drawn) for drawn in least] for label, least in part.items()}
        for kept in self._kept.values():
            heapq.heapify(kept)
        self._size = sum(map(len, self._kept.values()))


def labels_of(key: Any) -> tuple[Hashable, ...]:  # Any: a class, several in a list or set, or nothing
    """Return the classes of one example: one, several in a fixed order, or none (None, or an empty text)."""
    if key is None or key == "":
        return ()
    if isinstance(key, (list, tuple, set, frozenset)):
        return tuple(sorted(set(key), key=repr))
    return (key,)


def quotas_of(counts: Counter[Hashable], limit: int) -> Counter[Hashable]:
    """Return how many examples each label gives: its share by largest remainder, and one at least as far as that goes.

    :param counts: how many there are of each label.
    """
    total = sum(counts.values())
    if total <= limit:
        return counts
    order = sorted(counts, key=lambda label: (-counts[label], repr(label)))
    quotas: Counter[Hashable] = Counter(dict.fromkeys(order[:limit], 1))
    rest = limit - quotas.total()
    exact = {label: max(0.0, limit * counts[label] / total - quotas[label]) for label in order}
    scale = rest / (sum(exact.values()) or 1.0)
    for label in order:
        quotas[label] += int(exact[label] * scale)
    remainders = sorted(order, key=lambda label: int(exact[label] * scale) - exact[label] * scale)
    for label in remainders[: limit - quotas.total()]:
        quotas[label] += 1
    return Counter({label: min(quotas[label], counts[label]) for label in order})


def _least(kept: Sequence[tuple[float, int, Drawn]], count: int) -> list[Drawn]:
    """Return the examples with the smallest numbers."""
    return sorted((drawn for _, _, drawn in kept), key=lambda drawn: (drawn.number, drawn.row))[:count]
