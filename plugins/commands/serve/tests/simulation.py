"""A batcher's life in virtual time: seeded schedules of arrivals, departures, slow timers, hanging engines, closed batches
and open ones. Deterministic.

The driver does what `functory_serve.serving` does: a turn after everything that happens, and when the last one said to wake. What
must be so is checked at every step, by what the schedule alone knows.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import functory_serve.batcher
from functory_serve.admission import Late, Overloaded
from functory_serve.limits import Limits

TIMER = 0.002
"""Seconds that a timer may be late by."""


class Broken(AssertionError):
    """Something that must never be, was."""


@dataclass
class Asked:
    """A request, as the schedule knows it."""

    inputs: int
    deadline: float
    costs: list[int]
    taken: list[int] = field(default_factory=list)
    has_left: bool = False
    end: str = ""


class Simulation:
    """One schedule.

    :param seed: decides all of it.
    :param batching: the module whose Batcher is put through it.
    """

    def __init__(self, seed: int, batching: ModuleType = functory_serve.batcher) -> None:
        self.draw = draw = random.Random(seed)
        self.limits = Limits.model_construct(
            wait_seconds=draw.choice((0.05, 0.5, 5.0)), waiting=draw.choice((3, 100)), timeout_seconds=draw.choice((0.3, 3.0)),
            compute_seconds=1.0, batch_seconds=draw.choice((0.01, 0.1)), texts=draw.choice((1, 2, 5)),
        )  # fmt: skip
        self.batching = batching
        self.batcher = batching.Batcher(self.limits, is_open=draw.random() < 0.5)
        self.now = draw.choice((0.0, 1e6))
        self.events: list[tuple[float, int, str, Any]] = []
        self.count = 0
        self.asked: dict[int, Asked] = {}
        self.running: dict[int, Any] = {}
        self.left: set[int] = set()
        self.wake: float | None = None
        self.free_since = self.now
        self.fixed, self.each = draw.choice((0.0, 0.004)), draw.choice((1e-6, 1e-4))
        self.hangs = draw.choice((0.0, 0.0, 0.1))
        self.refused = 0

    def run(self) -> Simulation:
        """Go through the whole schedule.

        :raises Broken: at the first thing that must not be.
        """
        at, rate = self.now, self.draw.choice((10.0, 300.0, 3000.0))
        for _ in range(self.draw.randint(1, 30)):
            at += self.draw.expovariate(rate)
            self._plan(at, "arrive" if self.draw.random() < 0.98 else "renew", None)
        while self.events:
            self.now, _, kind, what = heapq.heappop(self.events)
            if kind == "wake" and what != self.wake:
                continue
            if getattr(self, f"_{kind}")(what) is not False:
                self._turn()
        self._ended()
        return self

    def _plan(self, at: float, kind: str, what: Any) -> None:
        self.count += 1
        heapq.heappush(self.events, (at, self.count, kind, what))

    def _arrive(self, _: None) -> bool:
        """Offer a request; return whether there is to be a turn."""
        draw = self.draw
        costs = [draw.choice((5, 40, 400)) for _ in range(draw.choice((1, 1, 1, 2, 7)))]
        seconds = draw.choice((None, None, 0.05, 0.0))
        is_alone = not self.batcher.requests
        try:
            number = self.batcher.offer(costs, self.now, seconds)
        except Late:
            expect(seconds == 0.0, "a request in time was refused as late")
            return True
        except Overloaded as error:
            expect(not is_alone, "a request that came alone was refused")
            expect(error.retry_seconds >= 0, "it is to be tried again before it came")
            self.refused += 1
            return True
        expect(seconds != 0.0, "a request without any time was taken on")
        expect(number not in self.asked, "two requests have one number")
        expect(self.batcher.requests <= self.limits.waiting, "more wait than may")
        allowed = min(self.limits.timeout_seconds, seconds if seconds is not None else 1e9)
        self.asked[number] = Asked(len(costs), self.now + allowed, costs)
        if draw.random() < 0.15:
            self._plan(self.now + draw.expovariate(50), "leave", number)
        return self.batcher.changes(number, self.wake)

    def _renew(self, _: None) -> None:
        self.batcher.is_open = not self.batcher.is_open

    def _leave(self, number: int) -> None:
        if not self.asked[number].end:
            self.batcher.leave(number)
            self.asked[number].has_left, self.asked[number].end = True, "left"

    def _wake(self, _: float) -> None:
        self.wake = None

    def _finish(self, batch: Any) -> None:
        outcomes = [(piece.request, piece.place) for piece in batch.pieces]
        is_current = batch.number in self.running
        answered = self.batcher.finish(batch, outcomes, self.now)
        expect(is_current or not answered, "a batch that was given up answers")
        if is_current:
            self._end_of(batch.number)
        for one in answered:
            asked = self._end(one.request, "answered")
            expect(self.now < asked.deadline, "an answer came after its time, without an error")
            expect(one.outcomes == [(one.request, place) for place in range(asked.inputs)], "outcomes lost, doubled or moved")

    def _turn(self) -> None:
        turn = self.batcher.turn(self.now)
        for number in turn.late:
            overdue = self.now - self._end(number, "late").deadline
            expect(overdue >= 0, "a request was late before its time")
            expect(overdue <= TIMER + 1e-9, "a request was told long after its time that it was late")
        pieces = set[int]()
        for number in turn.given_up:
            batch = self.running[number]
            expect(self.now >= batch.begun + self.limits.compute_seconds, "a batch was given up too early")
            pieces |= {piece.request for piece in batch.pieces}
            self._end_of(number)
        expect(set(turn.hanging) <= pieces, "others were given up with it")
        for number in turn.hanging:
            self._end(number, "hanging")
        for number in turn.left:
            self._leave_off(number)
        for batch in turn.batches:
            self._begin(batch)
        self._check(turn)
        if turn.wake != self.wake:
            self.wake = turn.wake
            if turn.wake is not None:
                self._plan(max(turn.wake, self.now) + self.draw.choice((0.0, 0.0, TIMER)), "wake", turn.wake)

    def _end_of(self, number: int) -> None:
        del self.running[number]
        self.left.discard(number)
        self.free_since = self.now

    def _leave_off(self, number: int) -> None:
        """A text that nobody waits for ends at its next token, where its engine does not hang; a closed batch goes on."""
        if number in self.running:
            self.left.add(number)
            if self.batcher.is_open and self.draw.random() < 0.9:
                self._plan(self.now + self.draw.choice((0.0, 0.001)), "finish", self.running[number])

    def _begin(self, batch: Any) -> None:
        is_open = self.batcher.is_open
        expect(len(self.running) < (self.limits.texts if is_open else 1), "two batches run" if not is_open else "too many run")
        expect(not is_open or len(batch.pieces) == 1, "texts of an open batch wait for one another")
        expect(bool(batch.pieces), "a batch holds nothing")
        for piece in batch.pieces:
            asked = self.asked[piece.request]
            expect(not asked.end, "something is computed for a request that is over")
            expect(asked.deadline > self.now, "something is computed for a request whose time is over")
            asked.taken.append(piece.place)
            expect(asked.taken == [*range(len(asked.taken))], "inputs are taken twice, or out of order")
        cost = sum(self.asked[piece.request].costs[piece.place] for piece in batch.pieces)
        expect(cost == batch.cost, "a batch has another cost than its inputs")
        for piece in batch.pieces:
            held = sum(piece.request in {other.request for other in one.pieces} for one in self.running.values())
            expect(not is_open or held < max(1, self.limits.texts // 2), "one list leaves no room for others")
        most = max(self.batching.LEAST_BUDGET, self.batcher.pace.within(self.limits.batch_seconds))
        expect(cost <= most or len(batch.pieces) == 1, "a batch is larger than its budget")
        self.running[batch.number] = batch
        hangs = self.draw.random() < self.hangs
        takes = self.draw.uniform(1.5, 4.0) if hangs else self.fixed + self.each * cost * self.draw.uniform(0.5, 1.5)
        self._plan(self.now + takes, "finish", batch)

    def _check(self, turn: Any) -> None:
        """Check what must be so after every turn."""
        open_ = {number: one for number, one in self.asked.items() if not one.end}
        waiting = sum(sum(one.costs[len(one.taken) :]) for one in open_.values())
        expect(self.batcher.waiting == waiting, "what waits is counted wrong")
        expect(self.batcher.requests == len(open_), "open requests are counted wrong")
        if not self.batcher.waiting:
            expect(all(len(one.taken) == one.inputs for one in open_.values()), "something is forgotten")
        expect(all(one.deadline > self.now for one in open_.values()), "a request is late, and was not told so")
        if waiting and not self.running and not self.batcher.is_open:
            expect(self.now - self.free_since <= self.batching.LINGER_MOST + TIMER, "there is work, and nobody does it")
        if self.batcher.is_open and len(self.running) < self.limits.texts:
            expect(not self._may_begin(), "a text waits, and there is room")
        for number, batch in self.running.items():
            is_wanted = any(not self.asked[piece.request].end for piece in batch.pieces)
            expect(is_wanted == (number not in self.left), "a batch is left that is wanted, or one that is not is not left")
        if open_:
            latest = min(one.deadline for one in open_.values())
            expect(turn.wake is not None and turn.wake <= latest, "nobody wakes when a request is late")
        if self.running:
            latest = min(one.begun for one in self.running.values()) + self.limits.compute_seconds
            expect(turn.wake is not None and turn.wake <= latest, "nobody wakes when a batch hangs")

    def _may_begin(self) -> bool:
        """Whether a text waits of which another may be written beside those that are."""
        held = Counter(piece.request for batch in self.running.values() for piece in batch.pieces)
        return any(not one.end and len(one.taken) < one.inputs and held[number] < max(1, self.limits.texts // 2)
                   for number, one in self.asked.items())  # fmt: skip

    def _end(self, number: int, how: str) -> Asked:
        asked = self.asked[number]
        expect(not asked.end, f"a request that was {asked.end} is {how} too")
        asked.end = how
        return asked

    def _ended(self) -> None:
        expect(all(one.end for one in self.asked.values()), "a request was lost")
        expect(not self.batcher.waiting and not self.batcher.requests, "something is left over")


def expect(is_so: bool, broken: str) -> None:
    """Hold something to be so.

    :raises Broken: when it is not.
    """
    if not is_so:
        raise Broken(broken)
