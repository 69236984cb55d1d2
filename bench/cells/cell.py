"""One cell of the quality table: what is built, what it is held beside, and how all of it is scored."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from measure import build

from cells.answers import Answered, remembered
from cells.data import Rows
from cells.scores import Score, difference, interval

GOLD = {"label", "entities", "score", "answer", "answers"}
"""The fields of a row that no function is shown."""
Answers = Sequence[Any]
"""One plain answer a test row: a label, a number, a set of spans, a text, the place of the right item."""


@dataclass(frozen=True)
class Cell:
    """A data set and a task.

    :param metric: its name, for the table.
    :param task: its name, or its name with options.
    :param backbone: which the peer is fine-tuned from; ours takes its own default.
    :param load: gives training and test rows, in the task's own shape.
    :param gold: the right answer of a row.
    :param read: our output → a plain answer.
    :param score: answers and right answers → the metric.
    :param majority: training rows and test rows → what a program that reads nothing answers.
    :param simple: its name, and training and test rows → its answers.
    :param same: likewise, with a learning rate.
    :param recipe: what the call names beside task and data: nothing, where the default is what is measured.
    :param ours: likewise, for what is more than one function built by one call.
    :param rates: what the peer is given in turn, where those are no learning rates of the table's: its own, or strengths.
    :param beside: the cell whose peer answers here too, with the seconds that it took there.
    :param is_shared: it is another cell's function that answers, whose seconds are told there.
    :param is_long: it takes more than some minutes, and runs where it is asked for by name.
    """

    name: str
    language: str
    metric: str
    task: str | Mapping[str, Any]
    load: Callable[[], tuple[Rows, Rows]]
    gold: Callable[[Any], Any]
    read: Callable[[Any], Any]
    score: Callable[[Answers, Answers], Score]
    majority: Callable[[Rows, Rows], Answers]
    simple: tuple[str, Callable[[Rows, Rows], Answers]]
    same: tuple[str, Callable[[Rows, Rows, float], Answers]] | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    ours: Callable[[Cell, Rows, Rows], Answers] | None = None
    rates: Sequence[float] = ()
    beside: Cell | None = None
    is_shared: bool = False
    is_long: bool = False

    def measure(self, rates: Sequence[float]) -> dict[str, Any]:
        """Run all, and return the table's row.

        :param rates: the learning rates that the peer is given; the better one counts.
        """
        train, test = self.load()
        right, count = [self.gold(row) for row in test], len(test)
        started = time.perf_counter()
        found = self.ours(self, train, test) if self.ours else self._built(train, test)
        seconds = time.perf_counter() - started
        own = self.score(found, right)
        everything = np.arange(count)
        low, high = interval(own, count)
        row = {
            "cell": self.name, "language": self.language, "metric": self.metric, "train": len(train), "test": count,
            "majority": self.score(self.majority(train, test), right)(everything),
            "ours": own(everything), "low": low, "high": high,
        }  # fmt: skip
        row |= {} if self.is_shared else {"seconds": seconds}
        row |= self._beside("simple", *self.simple, own, right, train, test)
        if self.same is not None:
            tried = self.peer(train, test, rates)
            best = max((one.answers for one in tried), key=lambda one: self.score(one, right)(everything))
            row |= self._beside("same", self.same[0], lambda *_: best, own, right, train, test)
            row["same_seconds"] = sum(one.seconds for one in tried) / len(tried)
            row["same_machine"] = ", ".join(sorted({one.machine for one in tried}))
        return row

    def peer(self, train: Rows, test: Rows, rates: Sequence[float]) -> list[Answered]:
        """Return what the peer answers with each learning rate; what it answered before is remembered."""
        if self.beside is not None:
            return self.beside.peer(train, test, rates)
        if self.same is None:
            return []
        name, tuned = self.same
        return [
            remembered([self.name, name, rate, train, test], lambda rate=rate: tuned(train, test, rate))
            for rate in self.rates or rates
        ]

    def _built(self, train: Rows, test: Rows) -> Answers:
        """Return the answers of a function that is built by the default call."""
        parts = {"train": train, "test_share": 0.0} if train else {}
        fn = build(task=self.task, **parts, **self.recipe)
        columns = {name: [row[name] for row in test] for name in test[0] if name not in GOLD}
        return [self.read(output) for output in fn.map(columns)]

    def _beside(
        self, kind: str, name: str, peer: Callable[..., Answers], own: Score, right: Answers, train: Rows, test: Rows
    ) -> dict[str, Any]:
        other = self.score(peer(train, test), right)
        value, low, high = difference(own, other, len(test))
        return {
            f"{kind}_peer": name, kind: other(np.arange(len(test))), f"less_{kind}": value, f"less_{kind}_low": low,
            f"less_{kind}_high": high,
        }  # fmt: skip
