"""What is suspicious about splits, in sentences. Nothing here stops a build; nobody should overlook it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations

from functory.data.examples import Examples
from functory.data.leaks import Leak, leaks
from functory.data.likeness import Likeness, Shingles, alike
from functory.data.shifts import LabelShift, LengthShift, Shift, shifts
from functory.data.splits import Key, Splits, labels_of
from functory.data.units import spread

IMBALANCE = 10  # examples with the commonest label : with the rarest
TINY = 30  # examples: below that an interval on accuracy spans some 30 points
MOST = 20_000
"""Examples of a side that are compared with those of another; of more, so many evenly spread."""
READ = 8_000
"""Examples in which words are counted."""
NAMED = 3
"""Words that decide alone that are named."""


def audit(splits: Splits, *, stratify: Key | None = None) -> list[str]:
    """Return what is suspicious: inputs that stand in two splits, word for word or nearly, inputs with several answers, words
    that tell a label alone, imbalance, a single label, splits that are unlike each other or tiny.

    :param stratify: an example's class or labels, as for `split`; None passes over what concerns classes.
    """
    sides = splits.sides()
    notes = [note for a, b in combinations(sides, 2) for note in _duplicates(a, b, sides[a], sides[b])]
    notes += _nearly(sides, stratify)
    if stratify is not None:
        notes += _contradictions(sides, stratify)
    if stratify is not None and "train" in sides:
        counts = {
            name: Counter(c for e in side for c in labels_of(stratify(e))) for name, side in sides.items()
        }
        notes += _classes(counts) if counts["train"] else []
        notes += _telling(leaks(spread(splits.train, READ), stratify), splits.train.inputs)
    notes += [note for name in ("dev", "test") if name in sides for note in _unlike(name, splits.train, sides[name], stratify)]
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


def _nearly(sides: Mapping[str, Examples], stratify: Key | None) -> list[str]:
    """Say for each two sides how many inputs of the second are nearly in the first, but for those that are wholly."""
    looked = {name: spread(side, MOST) for name, side in sides.items()} if len(sides) > 1 else {}
    shingles = {name: Shingles(side) for name, side in looked.items()}
    notes = []
    for a, b in combinations(looked, 2):
        whole = set(sides[a].identities)
        found = [one for one in alike(shingles[a], shingles[b]) if looked[b].identities[one.second] not in whole]
        notes += [_nearly_told(a, b, looked[a], looked[b], found, stratify)] if found else []
    return notes


def _nearly_told(
    name: str, other: str, side: Examples, other_side: Examples, found: Sequence[Likeness], stratify: Key | None
) -> str:
    """Say how many examples are nearly in another side, with the first of them; one with another label, where there is any."""
    unequal = [
        one for one in found
        if stratify and labels_of(stratify(side[one.first])) != labels_of(stratify(other_side[one.second]))
    ]  # fmt: skip
    one = (unequal or list(found))[0]
    pair = f"{other_side.places[one.second]} is {one.share:.0%} like {side.places[one.first]}"
    labels = f", {len(unequal):,} of them with another label" if unequal else ""
    return f"{_count(len(found))} of {other} nearly in {name} too{labels}: {pair}."


def _telling(found: Sequence[Leak], fields: Sequence[str]) -> list[str]:
    """Say which words tell a label alone."""
    if not found:
        return []
    told = "; ".join(_leak_told(one, fields) for one in found[:NAMED])
    more = f"; and {len(found) - NAMED:,} more such" if len(found) > NAMED else ""
    return [f"words that tell a label alone: {told}{more}. What is no part of the matter should not stand in the texts."]


def _leak_told(leak: Leak, fields: Sequence[str]) -> str:
    which = f" in {leak.field}" if len(fields) > 1 else ""
    have = "all" if leak.right == leak.having else f"{leak.right:,} of"
    return f"{have} {leak.having:,} with {leak.words!r}{which} are {leak.label!r}, which {leak.of_label:,} are"


def _unlike(name: str, train: Examples, side: Examples, stratify: Key | None) -> list[str]:
    """Say how a side differs from train."""
    found = shifts(spread(train, READ), spread(side, READ), stratify) if len(train) else []
    return [f"{name} is unlike train: {'; '.join(_shift_told(name, shift) for shift in found)}."] if found else []


def _shift_told(name: str, shift: Shift) -> str:
    if isinstance(shift, LabelShift):
        return f"{shift.label!r} is {shift.first:.0%} of train and {shift.second:.0%} of {name}"
    if isinstance(shift, LengthShift):
        return f"its inputs have {shift.second:,.0f} characters in the middle, those of train {shift.first:,.0f}"
    where = {"train": shift.first, name: shift.second}
    words = ", ".join(f"{', '.join(map(repr, words))} in {place}" for place, words in where.items() if words)
    return f"words tell them apart in {shift.share:.0%} of pairs, most {words}"


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
