"""What is suspicious about splits, in sentences. Nothing here stops a build; nobody should overlook it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations

from functory.data.examples import Examples
from functory.data.splits import Key, Splits, labels_of

IMBALANCE = 10  # examples with the commonest label : with the rarest
TINY = 30  # examples: below that an interval on accuracy spans some 30 points


def audit(splits: Splits, *, stratify: Key | None = None) -> list[str]:
    """Return what is suspicious: exact duplicates between splits, inputs with several answers, imbalance, a single label,
    tiny splits.

    :param stratify: an example's class or labels, as for `split`; None passes over what concerns classes.
    """
    sides = splits.sides()
    notes = [note for a, b in combinations(sides, 2) for note in _duplicates(a, b, sides[a], sides[b])]
    if stratify is not None:
        notes += _contradictions(sides, stratify)
    if stratify is not None and "train" in sides:
        counts = {
            name: Counter(c for e in side for c in labels_of(stratify(e))) for name, side in sides.items()
        }
        notes += _classes(counts) if counts["train"] else []
    notes += [
        f"{name} has only {_count(len(side))}: its figures say little."
        for name, side in sides.items()
        if len(side) < TINY
    ]
    return notes


def _duplicates(name: str, other: str, side: Examples, other_side: Examples) -> list[str]:
    """Say how many inputs of the second side are in the first too, with the first such pair."""
    first: dict[str, str] = {}
    for identity, place in zip(side.identities, side.places, strict=True):
        first.setdefault(identity, place)
    shared = [n for n, identity in enumerate(other_side.identities) if identity in first]
    if not shared:
        return []
    n = shared[0]
    pair = f"{other_side.places[n]} repeats {first[other_side.identities[n]]}"
    return [f"{_count(len(shared))} of {other} also in {name}, word for word: {pair}."]


def _contradictions(sides: Mapping[str, Examples], stratify: Key) -> list[str]:
    """Say how many inputs have several labels, with the places of the first such."""
    first: dict[str, tuple[tuple[Hashable, ...], str]] = {}
    found: dict[str, str] = {}
    for side in sides.values():
        for example, identity, place in zip(side, side.identities, side.places, strict=True):
            labels = labels_of(stratify(example))
            before, where = first.setdefault(identity, (labels, place))
            if labels != before and identity not in found:
                found[identity] = f"{_listed(before)} in {where}, {_listed(labels)} in {place}"
    if not found:
        return []
    has = "input has" if len(found) == 1 else "inputs have"
    return [f"{len(found):,} {has} several answers: {next(iter(found.values()))}."]


def _listed(labels: Sequence[Hashable]) -> str:
    return " and ".join(map(repr, labels)) or "nothing"


def _classes(counts: dict[str, Counter[Hashable]]) -> list[str]:
    """Say what is odd about the labels of each side."""
    notes = []
    train = counts["train"]
    (large, most), (small, fewest) = train.most_common(1)[0], train.most_common()[-1]
    if len(train) == 1:
        notes.append(f"every label in train is {large!r}.")
    if most > IMBALANCE * fewest:
        notes.append(f"the labels are unequal: {most:,} of {large!r}, {fewest:,} of {small!r} in train.")
    for name, found in counts.items():
        unknown = [label for label in found if label not in train]
        if unknown:
            notes.append(f"{name} has labels that train has not: {', '.join(map(repr, unknown[:5]))}.")
    return notes


def _count(number: int) -> str:
    return f"{number:,} example{'' if number == 1 else 's'}"
