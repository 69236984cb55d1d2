"""Stores: where a great many passages lie with their vectors and their words, and the one that is a folder.

A store of another kind, an index of vectors or a database, is found by an entry point of the group
``functory_ranking.stores``: a callable that takes the place and returns a `Store`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from itertools import islice
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO, Protocol

import numpy as np

from functory_sdk import Array, DataError, UsageError
from functory_sdk.lexicon import Words, WordsWriter, bytes_of, file_of

GROUP = "functory_ranking.stores"
FORMAT = 2
FACTS = ("format", "count", "width", "bytes", "words", "entries")
"""What a shelf says of itself; there may be no words."""
AT_ONCE = 1024
"""Passages that are read together while a shelf is made."""
BLOCK, QUERIES = 65_536, 64
"""Passages whose cosines are in memory together, and for how many queries."""


@dataclass(frozen=True, slots=True)
class Near:
    """A passage that a query is near to.

    :param index: which one it is, counted from 0.
    :param lexical: how much of the query's words it holds, from 0 to 1; 0 where words count nothing.
    """

    index: int
    text: str
    cosine: float
    lexical: float = 0.0


class Store(Protocol):
    """Passages with their vectors, which `nearest` searches: all of them, or by an index as near as it comes.

    :param has_words: it keeps the passages' words too; else they are found by their vectors alone, which a note says.
    """

    has_words: bool

    def nearest(self, vectors: Array, count: int, queries: Sequence[str], lexical: float) -> Sequence[Sequence[Near]]:
        """Return for each query the passages with the largest cosine + lexical · the share of its words, the largest first.

        :param vectors: (queries, width) float32, each at length 1.
        :param count: how many at most.
        :param queries: their texts.
        :param lexical: how much words count; 0 for vectors alone.
        """

    def first(self) -> tuple[str, Array]:
        """Return a passage and its vector, (width,), at length 1: whoever made the vectors is told by it."""


class Shelf:
    """Passages in a folder, their vectors mapped into memory: every one is looked at, in blocks; and where each word stands.

    A million passages of 384 numbers are 1.5 GB on disk, all of which a query reads; their words are about as much, of which it
    reads those that it holds.

    :param folder: as `make` wrote it.
    :raises DataError: when it is no shelf, or not whole.
    """

    has_words = True

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        facts = _facts(self.folder)
        count, width, words, entries = (facts[name] for name in ("count", "width", "words", "entries"))
        sizes = {"vectors.f32": 4 * count * width, "ends.i64": 8 * count, "passages.txt": facts["bytes"]}
        sizes |= {file_of(name): size for name, size in bytes_of(count, words, entries).items()}
        if any(not (file := self.folder / name).is_file() or file.stat().st_size != size for name, size in sizes.items()):
            raise _no_shelf(self.folder, "its files are not as long as shelf.json says")
        self._vectors: Array = np.memmap(self.folder / "vectors.f32", "<f4", "r", shape=(count, width))
        self._ends: Array = np.memmap(self.folder / "ends.i64", "<i8", "r", shape=(count,))
        if self._ends[-1] != facts["bytes"] or (np.diff(self._ends) < 0).any():
            raise _no_shelf(self.folder, "its texts do not end where ends.i64 says")
        self._words = Words.read(self.folder)

    def __len__(self) -> int:
        return len(self._ends)

    @classmethod
    def make(cls, folder: Path | str, passages: Iterable[str], vectors: Any) -> Shelf:
        """Write passages and their vectors into a folder, whole or not at all.

        :param folder: made now.
        :param passages: gone through once.
        :param vectors: the embedding function that is to be the first stage.
        :raises UsageError: where something lies there already.
        :raises DataError: when there are no passages.
        """
        target = Path(folder)
        if target.exists():
            raise UsageError(f"{str(target)!r} is there already.", do="name another folder, or remove it.")
        target.parent.mkdir(parents=True, exist_ok=True)
        made = target.with_name(f".{target.name}-{token_hex(4)}")
        made.mkdir()
        try:
            _write(made, passages, vectors)
            os.replace(made, target)
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return cls(target)

    def nearest(self, vectors: Array, count: int, queries: Sequence[str], lexical: float) -> list[list[Near]]:
        parts = (slice(first, first + QUERIES) for first in range(0, len(vectors), QUERIES))
        return [near for part in parts for near in self._nearest(vectors[part], count, queries[part], lexical)]

    def _nearest(self, vectors: Array, count: int, queries: Sequence[str], lexical: float) -> list[list[Near]]:
        found = np.empty((3, len(vectors), 0))  # of each query's best: cosines, shares of its words, places
        for start in range(0, len(self), BLOCK):
            cosines = vectors @ self._vectors[start : start + BLOCK].T  # (queries, passages)
            stop = start + cosines.shape[1]
            shares = self._words.shares(queries, start, stop) if lexical else np.zeros_like(cosines)
            places = np.broadcast_to(np.arange(start, stop), cosines.shape)
            found = np.concatenate([found, np.stack([cosines, shares, places])], axis=2)
            order = np.stack([_best(scores, count) for scores in found[0] + lexical * found[1]])
            found = np.take_along_axis(found, order[None], 2)
        return [
            [Near(int(place), self._text(int(place)), cosine, share) for cosine, share, place in zip(*each, strict=True)]
            for each in zip(*found.tolist(), strict=True)
        ]

    def first(self) -> tuple[str, Array]:
        return self._text(0), np.asarray(self._vectors[0])

    def _text(self, place: int) -> str:
        start, end = int(self._ends[place - 1]) if place else 0, int(self._ends[place])
        with (self.folder / "passages.txt").open("rb") as file:
            file.seek(start)
            return file.read(end - start).decode()


def _best(scores: Array, count: int) -> Array:
    """Return the places of the largest scores, so many at most, the largest first and equal ones in their order."""
    places = np.arange(len(scores))
    if len(scores) > count:  # to sort all of them would cost more than to compute them
        places = np.flatnonzero(scores >= np.partition(scores, -count)[-count])
    best: Array = places[np.argsort(-scores[places], kind="stable")][:count]
    return best


def opened(reference: str) -> Store:
    """Return a store: the shelf in a folder, or what the entry point of that name makes of the place; the same one each time.

    :param reference: ``./passages``, ``faiss:./passages``.
    :raises UsageError: when there is no store of that name.
    """
    file = Path(reference) / "shelf.json"
    return _opened(reference, file.stat().st_mtime_ns if file.exists() else 0)


@lru_cache(maxsize=8)
def _opened(reference: str, changed: int) -> Store:
    """Return the store of a reference, as it was changed last."""
    name, colon, place = reference.partition(":")
    if not colon or changed:
        return Shelf(reference)
    known = {one.name: one for one in entry_points(group=GROUP)}
    if name not in known:
        raise UsageError(
            f"there is no store named {name!r}.",
            where=f"store = {reference!r}",
            do=f"give the folder of a shelf, or install what brings it; installed: {', '.join(known) or 'none'}.",
        )
    store: Store = known[name].load()(place)
    return store


def _write(folder: Path, passages: Iterable[str], vectors: Any) -> None:
    """Write the files of a shelf: vectors, texts, where each text ends, words, and how many there are of each."""
    count = end = width = 0
    with (
        (folder / "vectors.f32").open("wb") as numbers,
        (folder / "passages.txt").open("wb") as texts,
        (folder / "ends.i64").open("wb") as ends,
        WordsWriter(folder) as words,
    ):
        for part in _parts(passages):
            read = vectors.map([{"text": text, "role": "passage"} for text in part], progress=False)
            found = np.asarray([one.vector for one in read], dtype="<f4")
            lengths = np.linalg.norm(found, axis=1, keepdims=True)
            numbers.write((found / np.where(lengths > 0, lengths, 1)).tobytes())
            words.add(part)
            end = _put(part, texts, ends, end)
            count, width = count + len(part), found.shape[1]
    if not count:
        raise DataError("there are no passages to put on the shelf.", do="give some.")
    facts = {"format": FORMAT, "count": count, "width": width, "bytes": end, "words": words.words, "entries": words.entries}
    (folder / "shelf.json").write_text(json.dumps(facts), encoding="utf-8")


def _put(part: Sequence[str], texts: BinaryIO, ends: BinaryIO, end: int) -> int:
    """Write some texts and where each of them ends; return where the last does."""
    for text in part:
        end += texts.write(text.encode())
        ends.write(end.to_bytes(8, "little"))
    return end


def _parts(passages: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(passages)
    while part := list(islice(rest, AT_ONCE)):
        yield part


def _facts(folder: Path) -> dict[str, int]:
    """Return what a shelf says of itself.

    :raises DataError: when there is none.
    """
    try:
        facts = json.loads((folder / "shelf.json").read_text("utf-8"))
        found = {name: int(facts[name]) for name in FACTS}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _no_shelf(folder, f"{type(error).__name__} in shelf.json") from error
    if found["format"] != FORMAT or min(found[name] for name in FACTS[:4]) < 1 or min(found.values()) < 0:
        raise _no_shelf(folder, "shelf.json is none that this version reads")
    return found


def _no_shelf(folder: Path, why: str) -> DataError:
    return DataError(f"there is no whole shelf: {why}.", where=str(folder), do="make it: Shelf.make(FOLDER, passages, vectors).")
