"""Whether inputs and answers are still like those that a function was measured on: their lengths and scores, of late and then."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

from functory_sdk import Function, Spread, Usual, length_of, top_score

KEPT = 1000
"""Of the last outputs so many are compared."""
LEAST = 100
"""Fewer tell nothing."""


class Window:
    """The last values of a number, by the part of its spread that each falls into."""

    def __init__(self, usual: Spread) -> None:
        self._usual = usual
        self._parts: deque[int] = deque(maxlen=KEPT)

    def saw(self, value: float) -> None:
        """Take in one."""
        self._parts.append(self._usual.part(value))

    @property
    def shift(self) -> float:
        """How far they are spread otherwise than they were; no number while there are few."""
        parts = [*self._parts]
        if len(parts) < LEAST:
            return math.nan
        return self._usual.shift([parts.count(part) for part in range(len(self._usual.shares))])

    @property
    def chance(self) -> float:
        """What chance alone makes of that; no number while there are few."""
        return self._usual.chance(len(self._parts)) if len(self._parts) >= LEAST else math.nan


class Drift:
    """What a function was given and answered of late, beside what its report says that it was measured on.

    :param function: whose report may say nothing of it; then nothing is compared.
    """

    def __init__(self, function: Function) -> None:
        found = function.report.usual if function.report is not None else None
        usual = found or Usual(lengths=None, scores=None)
        self._lock = threading.Lock()  # a batch that was given up may end beside the next one
        spreads = {"length": usual.lengths, "score": usual.scores}
        self.windows = {of: Window(spread) for of, spread in spreads.items() if spread is not None}

    def saw(self, values: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Take in what was computed.

        :param values: the task's Inputs.
        """
        lengths, scores = self.windows.get("length"), self.windows.get("score")
        with self._lock:
            for value, output in zip(values, outputs, strict=True):
                if lengths is not None:
                    lengths.saw(length_of(value))
                if scores is not None and (score := top_score(output)) is not None:
                    scores.saw(score)

    def told(self) -> dict[str, tuple[float, float]]:
        """Return of each number how far it is shifted, and how far chance alone would shift it."""
        with self._lock:
            return {of: (window.shift, window.chance) for of, window in self.windows.items()}
