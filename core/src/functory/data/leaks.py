"""Words that decide alone: where a word or a few in a row tell the label, the figures may measure how the data were gathered.

An identifier, a template's phrase or a mark of the source that got into the texts makes any model look good. Whether such a
word is an honest sign ("oil" in questions about an oil change) only a person can tell; so it is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from functory.data.examples import Examples
from functory.data.sampling import labels_of
from functory.data.splits import Key
from functory.data.units import joined, texts, units

RUN = 3
"""Words in a row that are looked at, at most."""
DOUBT = 0.15
"""Of the examples with a word, the part that may have other labels, for a word that all examples of its label have; the
smaller, the fewer have it. It is of what chance leaves to be told."""
COVERED = 0.5
"""The part of a label's examples that a word must stand in."""
ONE_SIDED = 1.28
"""The quantile of the normal distribution for a limit that holds in nine cases of ten."""

Gram = tuple[str, ...]


@dataclass(frozen=True)
class Leak:
    """Words that decide alone.

    :param words: as they are told.
    :param field: where they stand.
    :param label: what they tell.
    :param having: examples that have them.
    :param right: those of them that have the label.
    :param of_label: all examples that have the label.
    """

    words: str
    field: str
    label: Hashable
    having: int
    right: int
    of_label: int


def leaks(side: Examples, stratify: Key) -> list[Leak]:
    """Return the words that decide alone on one side, those that tell most examples first.

    :param stratify: an example's class or labels.
    """
    classes = [labels_of(stratify(example)) for example in side]
    counts = Counter(label for labels in classes for label in labels)
    if len(counts) < 2:
        return []
    rows = [[(field, units(text)) for field, text in texts(example, side.inputs)] for example in side]
    found: list[Leak] = []
    kept: set[tuple[str, Gram]] | None = None
    for size in range(1, RUN + 1):
        having, right = _counted(rows, classes, size, kept)
        kept = {(field, gram) for (field, gram, label), many in right.items() if _may_decide(many, counts[label])}
        found += [
            Leak(joined(gram), field, label, having[field, gram], many, counts[label])
            for (field, gram, label), many in right.items()
            if _decides(many, having[field, gram], counts[label], len(side))
        ]
    found.sort(key=lambda leak: -leak.right)
    return list(_shortest(found))


def _counted(
    rows: Sequence[Sequence[tuple[str, list[str]]]],
    classes: Sequence[Sequence[Hashable]],
    size: int,
    kept: set[tuple[str, Gram]] | None,
) -> tuple[Counter[tuple[str, Gram]], Counter[tuple[str, Gram, Hashable]]]:
    """Return in how many examples runs of so many words stand, and in how many of each label.

    :param kept: runs one shorter that may be part of one that decides; all when None.
    """
    having: Counter[tuple[str, Gram]] = Counter()
    right: Counter[tuple[str, Gram, Hashable]] = Counter()
    for row, labels in zip(rows, classes, strict=True):
        there = {(field, gram) for field, words in row for gram in _runs(words, size, field, kept)}
        having.update(there)
        right.update((field, gram, label) for field, gram in there for label in labels)
    return having, right


def _runs(words: Sequence[str], size: int, field: str, kept: set[tuple[str, Gram]] | None) -> Iterator[Gram]:
    for gram in zip(*(words[place:] for place in range(size)), strict=False):
        if kept is None or ((field, gram[1:]) in kept and (field, gram[:-1]) in kept):
            yield gram


def _may_decide(many: int, of_label: int) -> bool:
    """Return whether so many examples of a label would be enough, had no other label the word."""
    return many >= COVERED * of_label and _least(many, many) >= 1 - DOUBT * many / of_label


def _decides(right: int, having: int, of_label: int, count: int) -> bool:
    """Return whether a word tells a label: most of the label have it, and nearly all that have it have the label, beyond what
    chance and luck explain.
    """
    base = of_label / count
    beyond = (_least(right, having) - base) / (1 - base) if base < 1 else 0.0
    return right >= COVERED * of_label and beyond >= 1 - DOUBT * right / of_label


def _least(right: int, having: int) -> float:
    """Return the share that is there at least (Wilson 1927)."""
    z = ONE_SIDED**2 / having
    share = right / having
    spread = ONE_SIDED * ((share * (1 - share) + z / 4) / having) ** 0.5
    found: float = (share + z / 2 - spread) / (1 + z)
    return found


def _shortest(found: Sequence[Leak]) -> Iterator[Leak]:
    """Yield those that hold no other that tells as much, or nearly."""
    for leak in found:
        parts = [one for one in found if one is not leak and (one.field, one.label) == (leak.field, leak.label)]
        if not any(one.words in leak.words and len(one.words) < len(leak.words) for one in parts):
            yield leak
