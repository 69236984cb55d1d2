"""Which examples are kept on one side of a split: those whose inputs are the same, or nearly so with the same answer.

A copy of what was learned, or nearly one, tells nothing of what was not. Texts that are nearly the same and have another answer
are no copies: they are what is hard.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from functory.data.examples import Examples
from functory.data.likeness import Shingles, near
from functory.data.sampling import labels_of
from functory.data.units import spread

MOST = 20_000
"""Examples that are compared with one another; of more, so many evenly spread, and the others word for word."""


def kin(examples: Examples, stratify: Callable[[Any], Any] | None = None) -> list[list[int]]:
    """Return the indices of examples that belong together, each group's in their order, the groups by their first.

    :param stratify: an example's class or labels; None groups by inputs alone.
    """
    together: dict[str, list[int]] = defaultdict(list)
    for n, identity in enumerate(examples.identities):
        together[identity].append(n)
    groups = list(together.values())
    leader = _leaders(examples.take(group[0] for group in groups), stratify)
    found: dict[int, list[int]] = defaultdict(list)
    for g, first in enumerate(leader):
        found[first] += groups[g]
    return [sorted(group) for group in found.values()]


def _leaders(examples: Examples, stratify: Callable[[Any], Any] | None) -> Sequence[int]:
    """Return for each example the first that it is nearly the same as and that follows no other; itself where there is none.

    Nothing follows a follower, so that no chain of small changes brings together what is unlike at its ends.
    """
    looked = spread(examples, MOST)
    places = [n * len(examples) // len(looked) for n in range(len(looked))]
    labels = [labels_of(stratify(example)) if stratify else () for example in looked]
    leader = list(range(len(examples)))
    for n, m in near(Shingles(looked)):  # n before m
        first, second = places[n], places[m]
        if leader[first] == first and leader[second] == second and labels[n] == labels[m]:
            leader[second] = first
    return leader
