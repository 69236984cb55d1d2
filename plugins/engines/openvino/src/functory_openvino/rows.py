"""What is stored of texts after sources, each text a row; rows join, go on in several ways, and leave.

Each row's tokens lie from its first place on, and its mask says how far: so a row that joins moves no other, and one that leaves
is replaced by another. Attention to places that nothing stands in gives nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from functory_openvino.pairs import NEW, Pair
from functory_sdk import Array, plan

ROOM = 16
"""Places are made in so many at a time."""
SPARE = 4 * ROOM
"""Rows' places are made anew where there are more than twice as many as are needed, and these."""
TOGETHER = 2048
"""Tokens of sources that are read in one pass."""


class Rows:
    """Rows of one pair of graphs.

    :param pair: the graphs; the rows have request objects of their own.

    ``reads`` (rows,) says how many tokens of each are read.
    """

    def __init__(self, pair: Pair) -> None:
        self._facts = pair.facts
        self._sources: Any = pair.sources.create_infer_request()
        self._step: Any = pair.step.create_infer_request()
        self._stored: dict[str, Array] = {}
        self.reads = np.zeros(0, np.int64)
        self._sizes = np.zeros(0, np.int64)  # of the sources
        self._fit(1)

    def __len__(self) -> int:
        return len(self.reads)

    def choose(self, rows: Sequence[int]) -> list[int]:
        """Go on with these rows, of which one may come several times; return where each lies now. As few as may be are moved."""
        places, before = list(_placed(rows)), len(self)
        order = np.empty(len(rows), np.int64)
        order[places] = rows
        self.reads, self._sizes = self.reads[order], self._sizes[order]
        self._fit(max(len(rows), before))
        moved = [(place, row) for place, row in zip(places, rows, strict=True) if place != row]
        if moved:
            into, out = (list(some) for some in zip(*moved, strict=True))
            for array in self._stored.values():
                array[into] = array[out]
        return places

    def join(self, sources: Sequence[Sequence[int]]) -> list[int]:
        """Read sources, those that are alike once, and begin a row for each; return which."""
        first, where = len(self), dict[tuple[int, ...], list[int]]()
        for row, source in enumerate(sources, start=first):
            where.setdefault(tuple(source), []).append(row)
        self.reads = np.append(self.reads, np.zeros(len(sources), np.int64))
        self._sizes = np.append(self._sizes, np.asarray([len(one) for one in sources], np.int64))
        self._fit(len(self))
        whole = list(where)
        for part in plan([len(one) for one in whole], TOGETHER):
            self._read({whole[number]: where[whole[number]] for number in part})
        return list(range(first, len(self)))

    def _read(self, sources: dict[tuple[int, ...], list[int]]) -> None:
        """Read sources in one pass, and store what is looked at of each in its rows."""
        ids = np.zeros((len(sources), max(map(len, sources))), np.int64)
        mask = np.zeros_like(ids)
        for number, source in enumerate(sources):
            ids[number, : len(source)], mask[number, : len(source)] = source, 1
        self._sources.infer({"ids": ids, "mask": mask}, share_inputs=True)
        for name in self._facts.sources:
            found = self._sources.get_tensor(name).data
            for number, (source, rows) in enumerate(sources.items()):
                self._stored[name][rows, :, : len(source)] = found[number, :, : len(source)]

    def advance(self, tokens: Sequence[int]) -> Array:
        """Read the next token of each row, and return the scores after it, float32 (rows, vocabulary): the next call overwrites
        them.
        """
        self._fit(len(self), more=1)
        there, texts = len(self), next(iter(self._facts.texts))
        given = {
            "ids": np.asarray(tokens, np.int64)[:, None],
            "mask": np.append(self._mask(texts, self.reads), np.ones((there, 1), np.int64), 1),
            "source_mask": self._mask(next(iter(self._facts.sources)), self._sizes),
        }
        given |= {name: array[:there] for name, array in self._stored.items()}
        self._step.infer(given, share_inputs=True)
        for name in self._facts.texts:
            self._stored[name][np.arange(there), :, self.reads] = self._step.get_tensor(NEW + name).data[:, :, 0]
        self.reads = self.reads + 1
        found: Array = self._step.get_tensor("scores").data
        return found

    def _mask(self, name: str, sizes: Array) -> Array:
        """Return which places of an array are real, int64 (rows, places)."""
        mask: Array = (np.arange(self._stored[name].shape[2]) < sizes[:, None]).astype(np.int64)
        return mask

    def _fit(self, rows: int, more: int = 0) -> None:
        """Have room for so many rows, for what is read of them, and for so many tokens more."""
        for arrays, sizes in ((self._facts.texts, self.reads + more), (self._facts.sources, self._sizes)):
            places = max(ROOM, -(-int(sizes.max(initial=0)) // ROOM) * ROOM)
            for name, (heads, width) in arrays.items():
                held = self._stored.get(name, np.zeros((0, heads, 0, width), np.float32))
                if len(held) >= rows and places <= held.shape[2] <= 2 * places + SPARE:
                    continue
                made = np.zeros((max(len(held), rows + rows // 4), heads, places, width), np.float32)
                kept = min(places, held.shape[2])
                made[: len(held), :, :kept] = held[:, :, :kept]
                self._stored[name] = made


def _placed(rows: Sequence[int]) -> Iterator[int]:
    """Give where rows go: each that can stay stays, the others fill what is left."""
    staying = {row: place for place, row in reversed(list(enumerate(rows))) if row < len(rows)}
    free = (place for place in range(len(rows)) if place not in staying)
    for place, row in enumerate(rows):
        yield row if staying.get(row) == place else next(free)
