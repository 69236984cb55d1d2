"""Which examples are kept on one side of a split: those whose inputs are the same, or nearly so with the same answer.

A copy of what was learned, or nearly one, tells nothing of what was not. Texts that are nearly the same and have another answer
are no copies: they are what is hard. Nor are those of a class that is written in a few moulds, as texts made by a program are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from functory.data.examples import Examples
from functory.data.likeness import Shingles, near
from functory.data.sampling import labels_of
from functory.data.units import spread

MOST = 20_000
"""Examples that are compared with one another; of more, so many evenly spread, and the others word for word."""


def kin(examples: Examples, stratify: Callable[[Any], Any] | None = None, share: float = 1.0) -> list[list[int]]:
    """Return the indices of examples that belong together, each group's in their order, the groups by their first.

    :param stratify: an example's class or labels; None groups by inputs alone.
    :param share: the part of each class that is to be held out. Where groups that are larger hold most of a class, it is
        written in a few moulds: then only the same inputs are of one kin, since else there were nothing to hold out.
    """
    copies = _copies(examples)
    firsts = examples.take(group[0] for group in copies)
    labels = [labels_of(stratify(example)) if stratify else () for example in firsts]
    found: dict[int, list[int]] = defaultdict(list)  # leader → its copies' numbers
    for g, first in enumerate(_leaders(firsts, labels)):
        found[first].append(g)
    moulded = _moulded([(labels[first], sum(len(copies[g]) for g in own)) for first, own in found.items()], share)
    parts = [one for first, own in found.items() for one in ([[g] for g in own] if labels[first] in moulded else [own])]
    return sorted(sorted(n for g in own for n in copies[g]) for own in parts)


def _copies(examples: Examples) -> list[list[int]]:
    """Return the indices of examples whose inputs are the same, the groups by their first."""
    together: dict[str, list[int]] = defaultdict(list)
    for n, identity in enumerate(examples.identities):
        together[identity].append(n)
    return list(together.values())


def _moulded(groups: Sequence[tuple[Hashable, int]], share: float) -> set[Hashable]:
    """Return the classes most of whose examples are of groups larger than the share of their class.

    :param groups: each one's class, and how many examples it has.
    """
    whole, fitting = Counter[Hashable](), Counter[Hashable]()
    for name, size in groups:
        whole[name] += size
    for name, size in groups:
        fitting[name] += size if size <= max(1, share * whole[name]) else 0
    return {name for name, size in whole.items() if 2 * fitting[name] < size}


def _leaders(examples: Examples, labels: Sequence[Hashable]) -> Sequence[int]:
    """Return for each example the first that it is nearly the same as and that follows no other; itself where there is none.

    Nothing follows a follower, so that no chain of small changes brings together what is unlike at its ends.

    :param labels: each example's; others than its own lead none.
    """
    looked = spread(examples, MOST)
    places = [n * len(examples) // len(looked) for n in range(len(looked))]
    leader = list(range(len(examples)))
    for n, m in near(Shingles(looked)):  # n before m
        first, second = places[n], places[m]
        if leader[first] == first and leader[second] == second and labels[first] == labels[second]:
            leader[second] = first
    return leader
