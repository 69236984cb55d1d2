"""Train, dev and test: stratified, seeded, and never with the same input on two sides, or nearly the same.

The order comes from the raw stream of PCG64, which numpy keeps from version to version, unlike `permutation`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from functory.data.examples import Examples
from functory.data.kin import kin
from functory.data.sampling import labels_of as labels_of
from functory.errors import OptionError

Key = Callable[
    [Any], Any
]  # Any: an example; a class, several of them in a list or set, or whatever may be a dict's key

SIDES = ("train", "dev", "test", "untouched")


@dataclass(frozen=True)
class Splits:
    """The sides of one set of examples; all but train may be empty."""

    train: Examples
    dev: Examples
    test: Examples
    untouched: Examples = field(default_factory=lambda: Examples((), (), ""))
    """What nothing is learned or chosen by: scores are calibrated, and promises made, on it."""

    def sides(self) -> dict[str, Examples]:
        """Return the sides that hold something, by name."""
        return {name: side for name in SIDES if len(side := getattr(self, name))}


def split(
    examples: Examples,
    dev: float = 0.1,
    test: float = 0.1,
    untouched: float = 0.0,
    *,
    seed: int,
    stratify: Key | None = None,
) -> Splits:
    """Split examples into train, dev, test and untouched rows; dev and test are the same whatever is left untouched.

    Examples of one `kin` stay together: exact duplicates of an input, and near ones with the same answer, but where most of a
    class is written in a few moulds. Each class keeps its share on every side, as far as whole examples allow, and at least
    one example in train. Several labels per example are one stratum per set of labels; where sets are too rare for a share of
    their own, their examples are taken by the label that is rarest among those not yet taken (the order of iterative
    stratification: Sechidis et al. 2011, section 3). The sides keep the order of the source.

    :param dev: the share of dev, from 0 to below 1.
    :param test: the share of test, likewise.
    :param untouched: the share of what training uses for nothing, likewise; all together below 1.
    :param stratify: an example's class, or its list or set of labels; None splits without regard to classes.
    :raises OptionError: for shares out of range.
    """
    shares = {"dev": dev, "test": test, "untouched": untouched}
    whole = " + ".join(name for name, share in shares.items() if share) or "dev"
    for name, share in (*shares.items(), (whole, sum(shares.values()))):
        if not 0 <= share < 1:
            raise OptionError(
                f"{name} = {share!r} is not allowed.", do=f"{name} is a number from 0 to below 1."
            )
    classes = [labels_of(stratify(example)) if stratify else () for example in examples]
    least = min((share for share in (dev, test) if share), default=untouched)
    groups = _shuffled(kin(examples, stratify, least or 1.0), seed)
    sides = _allocate(groups, _strata(groups, classes, least), shares)
    _keep_each_class(sides, groups, classes)
    chosen = {
        name: sorted(n for g, side in enumerate(sides) if side == name for n in groups[g]) for name in SIDES
    }
    return Splits(*(examples.take(chosen[name]) for name in SIDES))


def folds_of(examples: Examples, folds: int, *, seed: int, stratify: Key | None = None) -> list[list[int]]:
    """Return the examples' indices in so many parts of like size, each class shared out among them, for holding out in turn.

    Examples of one `kin` stay together. There are as many parts as there are of these, where they are fewer.

    :raises OptionError: for fewer than two.
    """
    if folds < 2:
        raise OptionError(f"folds = {folds!r} is not allowed.", do="folds is 2 or more.")
    classes = [labels_of(stratify(example)) if stratify else () for example in examples]
    groups = _shuffled(kin(examples, stratify, 1 / folds), seed)
    count = max(1, min(folds, len(groups)))
    parts: list[list[int]] = [[] for _ in range(count)]
    dealt = 0
    for stratum in sorted(_strata(groups, classes, 1 / count), key=len):
        for group in stratum:
            parts[dealt % count].extend(groups[group])
            dealt += 1
    return [sorted(part) for part in parts if part]


def _shuffled(groups: Sequence[list[int]], seed: int) -> list[list[int]]:
    """Return groups in an order that the seed alone decides."""
    order = np.argsort(np.random.PCG64(seed).random_raw(len(groups)), kind="stable")  # (groups,)
    return [groups[g] for g in order]


def _strata(
    groups: Sequence[Sequence[int]], classes: Sequence[tuple[Hashable, ...]], share: float
) -> list[list[int]]:
    """Return the groups of each stratum: by set of labels, or by the rarest label where the set is too rare to give
    each side one.
    """
    counts: Counter[tuple[Hashable, ...]] = Counter()
    for group in groups:
        counts[classes[group[0]]] += len(group)
    strata: dict[tuple[Hashable, ...], list[int]] = defaultdict(list)
    rare: dict[int, tuple[Hashable, ...]] = {}
    for g, group in enumerate(groups):
        labels = classes[group[0]]
        if len(labels) > 1 and counts[labels] * share < 1:
            rare[g] = labels
        else:
            strata[labels].append(g)
    return [*strata.values(), *_by_rarest_label(rare)]


def _by_rarest_label(groups: Mapping[int, tuple[Hashable, ...]]) -> list[list[int]]:
    """Return groups in strata, each of a label that was the rarest among the groups that were left.

    :param groups: each group's labels, at least one.
    """
    having: dict[Hashable, dict[int, None]] = defaultdict(dict)  # groups of each label, in their order
    for g, labels in groups.items():
        for label in labels:
            having[label][g] = None
    strata = []
    while having:
        rarest = min(having, key=lambda label: (len(having[label]), repr(label)))
        strata.append(list(having.pop(rarest)))
        for g in strata[-1]:
            for label in groups[g]:
                having.get(label, {}).pop(g, None)
        having = defaultdict(dict, {label: found for label, found in having.items() if found})
    return strata


def _allocate(
    groups: Sequence[Sequence[int]], strata: Sequence[Sequence[int]], shares: Mapping[str, float]
) -> list[str]:
    """Return the side of each group: each stratum gives its quota, and its first group stays in train."""
    sides = ["train"] * len(groups)
    sizes = [sum(len(groups[g]) for g in stratum) for stratum in strata]
    for side, share in shares.items():
        free = [[g for g in stratum[1:] if sides[g] == "train"] for stratum in strata]
        room = [sum(len(groups[g]) for g in stratum) for stratum in free]
        for stratum, quota in zip(free, _quotas(sizes, room, share), strict=True):
            for g in stratum:
                if len(groups[g]) <= quota:
                    sides[g] = side
                    quota -= len(groups[g])
    return sides


def _quotas(sizes: Sequence[int], room: Sequence[int], share: float) -> list[int]:
    """Return how many examples each stratum gives: its share rounded down, the rest by largest remainder.

    :param sizes: all examples of each stratum (strata,).
    :param room: those it can still give (strata,).
    """
    exact = [size * share for size in sizes]
    quotas = [min(int(wanted), most) for wanted, most in zip(exact, room, strict=True)]
    rest = max(0, round(sum(exact)) - sum(quotas))
    can_give = [s for s, quota in enumerate(quotas) if room[s] > quota]
    for s in sorted(can_give, key=lambda s: (quotas[s] - exact[s], -room[s]))[:rest]:
        quotas[s] += 1
    return quotas


def _keep_each_class(
    sides: list[str], groups: Sequence[Sequence[int]], classes: Sequence[Sequence[Hashable]]
) -> None:
    """Move a group back to train for each class that train lacks: one of several, or of a mixed group."""
    labels = [{label for n in group for label in classes[n]} for group in groups]
    seen = {label for side, found in zip(sides, labels, strict=True) if side == "train" for label in found}
    for g, found in enumerate(labels):
        if found - seen:
            sides[g] = "train"
            seen |= found
