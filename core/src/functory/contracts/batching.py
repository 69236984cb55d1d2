"""Plans which rows run together: batches of equal cost, not of equal count.

Rows are sorted by length and cut into batches of at most `budget` tokens, padding counted, so that a
short text never pays for a long one. The best budget depends on the processor, the engine and the
model, so it is found while the work is done: early batches take turns among candidates, each is timed
per token, and the fastest is kept. No work is done twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from functory.contracts.rows import Array, Port, Program, Row, row_length
from functory.contracts.spent import spend
from functory.errors import InputError

CANDIDATES = (256, 512, 1024, 2048, 4096)
"""Token budgets that are tried; small ones stay in the processor's cache, large ones feed a GPU."""
ROOM = 4
"""Places that a batch may have for each token of its budget where padding costs no time: it takes memory all the same."""
TRIALS = 3
"""Timed batches of each candidate before one is chosen."""

Batch = Callable[[Mapping[str, Array]], Mapping[str, Array]]
Told = Callable[[float], None]
"""Told of each part of some work when it is done: its share of the whole, by what it costs. All of them sum to 1."""


def plan(lengths: Sequence[int], budget: int, sizes: Sequence[int] = ()) -> Iterator[list[int]]:
    """Cut rows, or groups of rows that come together, into batches, longest first.

    :param lengths: tokens of each row, or of a group's longest.
    :param budget: the largest rows × longest row of one batch, in tokens; what is larger runs alone.
    :param sizes: the rows of each group; one each when empty.
    :return: lists of indices; together they are all rows or groups, once each.
    """
    batch: list[int] = []
    rows = 0
    for index in _longest_first(lengths):
        size = sizes[index] if sizes else 1
        if batch and (rows + size) * max(1, lengths[batch[0]]) > budget:
            yield batch
            batch, rows = [], 0
        batch.append(index)
        rows += size
    if batch:
        yield batch


def _longest_first(lengths: Sequence[int]) -> list[int]:
    return sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))


def pad(rows: Sequence[Row], ports: Sequence[Port]) -> dict[str, Array]:
    """Stack rows into one batch, filling the axes that vary.

    :param rows: rows that hold every port.
    :return: for each port an array of (rows, …).
    :raises InputError: when a row lacks a port.
    """
    batch = {}
    for port in ports:
        try:
            arrays = [row[port.name] for row in rows]
        except KeyError:
            raise InputError(
                f"a row has no {port.name!r}; it has {', '.join(rows[0])}.",
                do="the formulation's `encode` must give every input of the program.",
            ) from None
        shape = tuple(
            max(array.shape[axis] for array in arrays) if isinstance(size, str) else size
            for axis, size in enumerate(port.axes)
        )
        stacked = np.full((len(rows), *shape), port.fill, dtype=port.dtype)
        for index, array in enumerate(arrays):
            place: tuple[Any, ...] = (index, *(slice(0, size) for size in array.shape))
            stacked[place] = array
        batch[port.name] = stacked
    return batch


def unpad(outputs: Mapping[str, Array], rows: Sequence[Row], program: Program) -> list[Row]:
    """Give each row its own outputs, without the padding of its axes.

    :param outputs: arrays of (rows, …), named as the program's output ports.
    """
    sizes = [_axes(row, program.inputs) for row in rows]
    return [
        {
            port.name: outputs[port.name][index][
                tuple(slice(0, size[axis]) if isinstance(axis, str) else slice(None) for axis in port.axes)
            ]
            for port in program.outputs
        }
        for index, size in enumerate(sizes)
    ]


def _axes(row: Row, ports: Sequence[Port]) -> dict[str, int]:
    """Return the size that each varying axis has in this row."""
    return {
        axis: row[port.name].shape[place]
        for port in ports
        if port.name in row
        for place, axis in enumerate(port.axes)
        if isinstance(axis, str)
    }


class Planner:
    """Runs rows in well-chosen batches, and learns the fastest budget on the way.

    :param budget: tokens of a batch; 0 to find it.
    """

    pads = True
    """Whether time is spent on padding, so that it counts; a session that computes nothing for it says so."""

    def __init__(self, budget: int = 0) -> None:
        self._fixed = budget
        self._timings: dict[int, list[float]] = {candidate: [] for candidate in CANDIDATES}
        self._lock = threading.Lock()

    @property
    def _begin(self) -> int:
        """The budget where nothing is timed: a batch that spends nothing on padding may be larger."""
        return 512 if self.pads else 1024

    @property
    def budget(self) -> int:
        """The budget in use: the given one, or the fastest so far."""
        if self._fixed:
            return self._fixed
        timed = {budget: float(np.median(times)) for budget, times in self._timings.items() if times}
        return min(timed, key=lambda budget: timed[budget]) if timed else self._begin

    def run(self, rows: Sequence[Row], program: Program, run_batch: Batch, told: Told | None = None) -> list[Row]:
        """Run rows and give back their outputs in the rows' order.

        :param told: told of each batch, by its tokens; of all at once where there are no rows.
        """
        if not rows and told is not None:
            told(1.0)
        results: list[Row | None] = [None] * len(rows)
        lengths = [row_length(row) for row in rows]
        waiting, cost = _longest_first(lengths), sum(max(1, length) for length in lengths)
        while waiting:
            budget = self._next_budget(waiting, lengths)
            count = self._count(waiting, lengths, budget)
            batch, waiting = waiting[:count], waiting[count:]
            chosen = [rows[index] for index in batch]
            started = time.perf_counter()
            outputs = run_batch(pad(chosen, program.inputs))
            tokens = sum(lengths[index] for index in batch)
            self._note(budget, tokens, time.perf_counter() - started, bool(waiting))
            spend(read=tokens, padding=len(batch) * lengths[batch[0]] - tokens if self.pads else 0)
            for index, output in zip(batch, unpad(outputs, chosen, program), strict=True):
                results[index] = output
            if told is not None:
                told(sum(max(1, lengths[index]) for index in batch) / cost)
        return [result for result in results if result is not None]

    def _count(self, waiting: Sequence[int], lengths: Sequence[int], budget: int) -> int:
        """Return how many of the rows that wait, longest first, the next batch takes."""
        longest = max(1, lengths[waiting[0]])
        if self.pads:
            return max(1, budget // longest)
        most = max(1, ROOM * budget // longest)
        sums = accumulate(max(1, lengths[index]) for index in waiting[:most])
        return max(1, sum(tokens <= budget for tokens in sums))

    def _next_budget(self, waiting: Sequence[int], lengths: Sequence[int]) -> int:
        """Return the candidate that has been timed least, while there is enough work to tell them apart."""
        if self._fixed:
            return self._fixed
        untried = [budget for budget, times in self._timings.items() if len(times) < TRIALS]
        enough = len(waiting) * max(1, lengths[waiting[len(waiting) // 2]]) > 2 * max(CANDIDATES)
        if not untried or not enough:
            return self.budget
        return min(untried, key=lambda budget: len(self._timings[budget]))

    def _note(self, budget: int, tokens: int, seconds: float, is_whole: bool) -> None:
        """Remember how long one token took in a whole batch of this budget."""
        if not self._fixed and is_whole and tokens and len(self._timings[budget]) < 2 * TRIALS:
            with self._lock:
                self._timings[budget].append(seconds / tokens)
