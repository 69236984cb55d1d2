"""Texts that are nearly the same, found without comparing all with all: MinHash and its buckets (Broder 1997; Leskovec et al.,
Mining of Massive Datasets, section 3.4). What falls into one bucket is compared in whole, so that none is named by chance.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from functory.data.examples import Examples
from functory.data.units import HAN, LONGEST, texts
from functory.reading.mixing import mixed

ALIKE = 0.8
"""The part of their shingles that two texts share at least, of those that either has (Jaccard), to be nearly the same."""
LONG, SHORT = 5, 2
"""Signs of a shingle: of words that spaces part, and of Chinese and Japanese."""
BANDS, HASHES = 16, 4
"""Buckets that a text falls into, and hashes that must agree in one: of pairs that are just alike one in 5,000 is missed."""
TRIED = 8
"""Texts of one bucket that are compared with one text."""

Numbers = NDArray[np.uint64]


@dataclass(frozen=True)
class Likeness:
    """Two examples that are nearly the same.

    :param first: the number of the one.
    :param second: of the other, which is on another side.
    :param share: of their shingles that both have, in the field where they differ most; 1 where they differ by case, white
        space or punctuation alone.
    """

    first: int
    second: int
    share: float


class Shingles:
    """The texts of examples, as sets of hashed shingles.

    :param side: the examples.
    """

    def __init__(self, side: Examples) -> None:
        self.sets = [_sets(example, side.inputs) for example in side]  # field → its shingles

    def likeness(self, n: int, other: Shingles, m: int) -> float:
        """Return how alike two examples are: as the field is in which they differ most."""
        mine, its = self.sets[n], other.sets[m]
        if mine.keys() != its.keys():
            return 0.0
        return min((_jaccard(found, its[field]) for field, found in mine.items()), default=0.0)

    @cached_property
    def buckets(self) -> Numbers:
        """(examples, BANDS): the bucket of each band that an example falls into."""
        signatures = np.array([_signature(found) for found in self.sets], dtype=np.uint64)
        parts = signatures.reshape(len(self.sets), BANDS, HASHES)
        found: Numbers = mixed((parts * _ODD[:HASHES]).sum(axis=2, dtype=np.uint64))
        return found


def alike(first: Shingles, second: Shingles) -> Iterator[Likeness]:
    """Yield each example of the second side that is nearly one of the first, once, with that one."""
    found: dict[int, Likeness] = {}
    tried: set[tuple[int, int]] = set()
    for band in range(BANDS if first.sets and second.sets else 0):
        for n, m in _together(first.buckets[:, band], second.buckets[:, band]):
            if m in found or (n, m) in tried:
                continue
            tried.add((n, m))
            share = first.likeness(n, second, m)
            if share >= ALIKE:
                found[m] = Likeness(n, m, share)
    yield from (found[m] for m in sorted(found))


def near(shingles: Shingles) -> list[tuple[int, int]]:
    """Return the pairs of examples of one side that are nearly the same, the earlier one first, in their order."""
    found: set[tuple[int, int]] = set()
    tried: set[tuple[int, int]] = set()
    for band in range(BANDS if shingles.sets else 0):
        buckets = shingles.buckets[:, band]
        for n, m in _together(buckets, buckets):
            if n >= m or (n, m) in tried:
                continue
            tried.add((n, m))
            if shingles.likeness(n, shingles, m) >= ALIKE:
                found.add((n, m))
    return sorted(found)


def _together(first: Numbers, second: Numbers) -> Iterator[tuple[int, int]]:
    """Give the pairs that one bucket holds, a few for each example of the second side."""
    order = np.argsort(first, kind="stable")
    starts, stops = (np.searchsorted(first[order], second, side) for side in ("left", "right"))
    for m in np.flatnonzero(stops > starts).tolist():
        yield from ((int(order[place]), m) for place in range(starts[m], min(stops[m], starts[m] + TRIED)))


def _sets(example: Any, fields: Sequence[str]) -> dict[str, Numbers]:  # Any: an instance of the task's own Example
    """Return the shingles of each text of an example, by field."""
    return {field: _shingles(text) for field, text in texts(example, fields)}


def _shingles(text: str) -> Numbers:
    """Return the hashed shingles of a text, sorted, each once; of one too short for any, the text itself."""
    plain = " ".join(_WORD.findall(unicodedata.normalize("NFKC", text[:LONGEST]).casefold())) or " ".join(text.split())
    signs = np.frombuffer(plain.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    found = _windows(signs, LONG)
    if _HAN.search(plain):
        is_narrow = np.fromiter((bool(_HAN.match(sign)) for sign in plain), bool, len(plain))
        narrow = _windows(signs, SHORT)
        found = np.concatenate([found[~is_narrow[: len(found)]], narrow[is_narrow[: len(narrow)]]])
    return np.unique(mixed(found if len(found) else _windows(signs, len(signs))))


def _windows(signs: Numbers, size: int) -> Numbers:
    """Return the hash of each run of so many signs."""
    if not size or len(signs) < size:
        return np.zeros(0, dtype=np.uint64)
    found = np.zeros(len(signs) - size + 1, dtype=np.uint64)
    for place in range(size):
        found = (found + signs[place : place + len(found)]) * _PRIME
    return found + np.uint64(size)


def _signature(sets: dict[str, Numbers]) -> Numbers:
    """Return the least of each hash over all shingles of an example (BANDS · HASHES,); zeros for one without any."""
    starts = np.arange(len(sets), dtype=np.uint64) * _PRIME  # as an array: a scalar that wraps around warns
    of_field = [found + start for found, start in zip(sets.values(), starts, strict=True)]
    if not any(map(len, of_field)):
        return np.zeros(BANDS * HASHES, dtype=np.uint64)
    least: Numbers = (np.concatenate(of_field)[None, :] * _ODD[:, None]).min(axis=1)  # their high bits decide
    return least


def _jaccard(first: Numbers, second: Numbers) -> float:
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / max(1, len(first) + len(second) - shared)


_WORD, _HAN = re.compile(r"\w+"), re.compile(f"[{HAN}]")
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_ODD: Numbers = np.random.PCG64(0).random_raw(BANDS * HASHES) | np.uint64(1)
