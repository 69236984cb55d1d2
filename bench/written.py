"""Scores texts that several methods wrote for the same rows: a row of a table for each, kept as soon as it is known."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from cells.scores import interval
from measure import RESULTS, keep, machine

from functory_sdk import word_count

Method = Callable[[], Sequence[str]]
"""Writes a text for each row."""


COUNTS = {"test", "train"}
"""What a row tells of the data that it was measured on: other numbers of them are no other row."""


class Table:
    """The rows of one benchmark: those that were kept, in whose place those that are measured anew come.

    :param name: of its results.
    :param notes: what stands below the table.
    """

    def __init__(self, name: str, notes: str) -> None:
        self.name, self.notes = name, notes
        file = RESULTS / f"{name}.json"
        self.rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.is_file() else []

    def add(self, about: dict[str, Any], method: Method, score: Callable[[Sequence[str]], Any], metric: str) -> None:
        """Let a method write, and keep what its texts are worth.

        :param about: what stands before the numbers: data and method.
        :param score: texts → a scorer of the task's.
        :param metric: the one of which the interval is told.
        """
        started = time.perf_counter()
        texts = method()
        seconds = time.perf_counter() - started
        scored = score(texts)
        low, high = interval(lambda chosen: scored(chosen)[metric], len(texts))
        words = float(np.mean([word_count(text) for text in texts]))
        whole = {name: float(value) for name, value in scored(np.arange(len(texts))).items()}
        told = {f"{metric} low": low, f"{metric} high": high, "words": words, "seconds": seconds, "machine": machine()}
        self.rows = [row for row in self.rows if not all(row.get(key) == about[key] for key in about.keys() - COUNTS)]
        self.rows.append({**about, **whole, **told})
        keep(self.name, self.rows, self.notes)
