"""Brings the inputs of many requests together in batches, and gives each request what came of its own, whole and in order.

Pure: it is told the time and has none of its own, computes nothing and waits for nothing, so that a simulation can put it
through any schedule. `serving` lets it work on a clock and on threads.

A batch takes one input of each request in turn until it is full, so that a long list holds up nobody. Whoever comes alone
waits for nobody; under load what comes while a batch runs makes the next one. A function that writes has open batches: each
input is one by itself, and many of them run at once, since the engine lets texts join and leave between two tokens; so a short
text waits for no long one.
"""

from __future__ import annotations

import heapq
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from functory_serve.admission import Admission
from functory_serve.limits import Limits
from functory_serve.pace import Pace

LINGER_SHARE = 0.1
"""The share of the last batch's time for which those that it answered are waited for, to come again."""
LINGER_MOST = 0.005
"""Seconds: waited for no longer than that."""
LEAST_BUDGET = 512
"""Tokens that a batch may have however slow it is: fewer do not fill an engine."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One input of a request: whose, and which."""

    request: int
    place: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs that are computed together.

    :param number: no other batch has it.
    :param begun: when, in seconds of the clock.
    """

    number: int
    pieces: tuple[Piece, ...]
    cost: int
    begun: float


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that is whole: for each of its inputs what came of it."""

    request: int
    outcomes: list[Any]  # Any: whatever computing gave


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be done now.

    :param late: requests whose time ran out; they are forgotten.
    :param hanging: requests of batches that were given up; they are forgotten.
    :param given_up: the numbers of those batches: what computes them may never come back.
    :param left: the numbers of batches that run for nobody any more, and need not be computed to their ends.
    :param batches: to be computed now, at once; others come when one is finished, or given up.
    :param wake: when to ask again, if nothing happens before; None where nothing will.
    """

    late: list[int]
    hanging: list[int]
    given_up: list[int]
    left: list[int]
    batches: list[Batch]
    wake: float | None


@dataclass(slots=True)
class _Request:
    number: int
    costs: Sequence[int]
    outcomes: list[Any]
    missing: int
    deadline: float
    next: int = 0
    """The first input that no batch has taken."""
    waiting: int = 0
    """The cost of those that no batch has taken."""
    running: set[int] = field(default_factory=set)
    """The batches that hold some of them."""
    is_over: bool = field(default=False)


@dataclass(slots=True)
class _Running:
    batch: Batch
    wanted: set[int]
    """The requests that wait for it."""


class Batcher:
    """The requests of one function that have no answer yet, and the batches that run.

    :param limits: how much it takes on, how long a batch may be, and how many open ones run at once.
    :param is_open: whether batches are open.
    """

    def __init__(self, limits: Limits, *, is_open: bool = False) -> None:
        self.is_open = is_open
        """Whether batches are open; what runs when it changes ends as it began."""
        self.is_hanging = False
        """Whether the last batch that ended was given up."""
        self.pace = Pace()
        """Of all that is computed."""
        self._own_pace = Pace()
        """Of one text among others."""
        self._limits = limits
        self._admission = Admission(limits)
        self._requests: dict[int, _Request] = {}
        self._turn_of: deque[_Request] = deque()
        self._deadlines: list[tuple[float, int]] = []
        self._waiting = self._pieces = self._unbegun = self._cost = 0
        self._running: dict[int, _Running] = {}  # the first that began first
        self._left: list[int] = []
        self._last = (0, 0.0)
        self._free_since = self._paced_until = float("-inf")
        self._numbers = self._batches = 0

    @property
    def waiting(self) -> int:
        """The cost that no batch has taken."""
        return self._waiting

    @property
    def requests(self) -> int:
        """How many requests have no answer yet."""
        return len(self._requests)

    @property
    def running(self) -> int:
        """How many batches run."""
        return len(self._running)

    @property
    def share(self) -> int:
        """How many batches may hold inputs of one request at once: half of the open ones, so that a long list leaves room."""
        return max(1, self._limits.texts // 2) if self.is_open else sys.maxsize

    def offer(self, costs: Sequence[int], now: float, seconds: float | None = None) -> int:
        """Take on a request; return its number.

        :param costs: of each of its inputs, one at least.
        :param seconds: how much time it has; the limit's when None.
        :raises Late: when that is over.
        :raises Overloaded: when it cannot be expected to be answered in time.
        """
        seconds = self._time(seconds)
        self._admission.check(*self._expected(costs), len(self._requests), seconds)
        self._numbers += 1
        cost = sum(costs)
        made = _Request(self._numbers, costs, [None] * len(costs), len(costs), now + seconds, waiting=cost)
        self._requests[made.number] = made
        self._turn_of.append(made)
        self._waiting += cost
        self._pieces += len(costs)
        self._unbegun += 1
        heapq.heappush(self._deadlines, (made.deadline, made.number))
        return made.number

    def changes(self, request: int, wake: float | None) -> bool:
        """Whether a request that was just taken on may change what is to be done; else no turn is needed for it alone.

        :param wake: when the next turn is anyway; None where it is at no time.
        """
        if self.is_open or not self._running or wake is None:
            return True
        return self._requests[request].deadline < wake

    def excess(self, cost: int, seconds: float | None = None) -> float | None:
        """Return by how many seconds there is too much to do for a request of one input; None where it would be taken on."""
        return self._admission.excess(*self._expected([cost]), len(self._requests), self._time(seconds))

    def leave(self, request: int) -> None:
        """Forget a request whose client has gone; what of it no batch has taken is not computed."""
        self._forget(request)

    def turn(self, now: float) -> Turn:
        """Return what is to be done now; asked after everything that happens, and when the last one said to wake."""
        late = self._late(now)
        given_up, hanging = self._hanging(now)
        batches = list[Batch]()
        while (due := self._due(now)) is not None and due <= now:
            batches.append(self._take(now))
        left, self._left = self._left, []
        return Turn(late, hanging, given_up, left, batches, self._wake(due))

    def finish(self, batch: Batch, outcomes: Sequence[Any], now: float) -> list[Answered]:
        """Take in what came of a batch; return the requests that are whole by it.

        What comes of a batch that was given up is nobody's any more.

        :param outcomes: one for each of its pieces.
        """
        if batch.number not in self._running:
            return []
        is_wanted = bool(self._running[batch.number].wanted)
        self._end(batch, now)
        self.is_hanging = False
        self._last = (len(batch.pieces), now - batch.begun)
        if is_wanted or now - batch.begun > self._own_pace.seconds(batch.cost):  # longer than it should, and was not at its end
            self._own_pace.saw(batch.cost, now - batch.begun)
        if is_wanted or not self.is_open:  # else it ended where it was left
            self.pace.saw(batch.cost, now - self._paced_until)
            self._paced_until = now
        return [
            one
            for piece, outcome in zip(batch.pieces, outcomes, strict=True)
            if (one := self._put(piece, outcome, now))
        ]

    def _put(self, piece: Piece, outcome: Any, now: float) -> Answered | None:
        """Give a request what came of one of its inputs; return it where that was the last, and in time."""
        request = self._requests.get(piece.request)
        if request is None or request.deadline <= now:  # the next turn tells of it
            return None
        request.outcomes[piece.place] = outcome
        request.missing -= 1
        if request.missing:
            return None
        self._forget(request.number)
        return Answered(request.number, request.outcomes)

    def _time(self, seconds: float | None) -> float:
        """Return how much time a request has that asks for so much."""
        return min(seconds if seconds is not None else float("inf"), self._limits.timeout_seconds)

    def _expected(self, costs: Sequence[int]) -> tuple[float, float]:
        """Return how long a request may be expected to wait, and to run after that: in closed batches it waits for all that is
        ahead, and for its own; in open ones for what finds no place beside what is written.
        """
        if not self.is_open:
            return self.pace.seconds(self._waiting + self._cost + sum(costs)), 0.0
        rest = costs[max(0, min(self.share, self._limits.texts - len(self._running))) :]
        wait = self.pace.seconds(self._ahead(len(rest)) + sum(rest)) if rest else 0.0
        return wait, self._own_pace.seconds(max(costs))

    def _ahead(self, inputs: int) -> float:
        """Return what is done of those that wait before so many inputs of one more request: as many of each."""
        return self._waiting * min(1.0, inputs * self._unbegun / self._pieces) if self._pieces else 0.0

    def _late(self, now: float) -> list[int]:
        """Forget the requests whose time ran out, and return them."""
        late = []
        while self._deadlines and (self._deadlines[0][0] <= now or self._deadlines[0][1] not in self._requests):
            _, number = heapq.heappop(self._deadlines)
            if number in self._requests:
                late.append(number)
                self._forget(number)
        return late

    def _hanging(self, now: float) -> tuple[list[int], list[int]]:
        """Give up the batches that run for too long, and forget their requests; return the numbers of both."""
        given_up, hanging = list[int](), list[int]()
        while self._running:
            number, running = next(iter(self._running.items()))
            if now < running.batch.begun + self._limits.compute_seconds:
                break
            self._end(running.batch, now)
            self._last, self.is_hanging = (0, 0.0), True
            given_up.append(number)
            hanging += sorted(running.wanted)
            for one in sorted(running.wanted):
                self._forget(one)
        return given_up, hanging

    def _due(self, now: float) -> float | None:
        """Return when the next batch is to begin; None where as many run as may, or nothing waits that may begin."""
        if self.is_open:
            return now if len(self._running) < self._limits.texts and self._first() is not None else None
        if self._running or not self._pieces:
            return None
        count, seconds = self._last
        if self._pieces >= count or self._waiting >= self._budget():
            return now
        return self._free_since + min(seconds * LINGER_SHARE, LINGER_MOST)

    def _budget(self) -> float:
        """Return what a batch may cost that takes more than one input."""
        return 0 if self.is_open else max(LEAST_BUDGET, self.pace.within(self._limits.batch_seconds))

    def _first(self) -> _Request | None:
        """Return the request whose turn it is: the first that is not over, and of which another batch may hold an input."""
        for _ in range(len(self._turn_of)):
            request = self._turn_of[0]
            if request.is_over:
                self._turn_of.popleft()
            elif len(request.running) < self.share:
                return request
            else:
                self._turn_of.rotate(-1)
        return None

    def _take(self, now: float) -> Batch:
        """Return a batch: one input of each request in turn, until it is full or none is left."""
        budget, cost = self._budget(), 0
        pieces: list[Piece] = []
        self._batches += 1
        while (request := self._first()) is not None:
            own = request.costs[request.next]
            if pieces and cost + own > budget:
                break
            pieces.append(Piece(request.number, request.next))
            cost += own
            request.next += 1
            request.waiting -= own
            request.running.add(self._batches)
            self._turn_of.popleft()
            if request.next < len(request.costs):
                self._turn_of.append(request)
            else:
                self._unbegun -= 1
        self._waiting -= cost
        self._pieces -= len(pieces)
        return self._begin(Batch(self._batches, tuple(pieces), cost, now))

    def _begin(self, batch: Batch) -> Batch:
        """Note that a batch runs, and return it."""
        if not self._running:
            self._paced_until = batch.begun
        self._running[batch.number] = _Running(batch, {piece.request for piece in batch.pieces})
        self._cost += batch.cost
        return batch

    def _end(self, batch: Batch, now: float) -> None:
        """Note that a batch runs no more."""
        del self._running[batch.number]
        self._cost -= batch.cost
        self._free_since = now
        for piece in batch.pieces:
            if piece.request in self._requests:
                self._requests[piece.request].running.discard(batch.number)

    def _wake(self, due: float | None) -> float | None:
        """Return when something is to be done by the clock alone."""
        times = [due] if due is not None else []
        if self._running:
            times.append(next(iter(self._running.values())).batch.begun + self._limits.compute_seconds)
        if self._deadlines:
            times.append(self._deadlines[0][0])
        return min(times, default=None)

    def _forget(self, number: int) -> None:
        """Drop a request, with what of it waits; a batch that runs for nobody else is left."""
        request = self._requests.pop(number, None)
        if request is None:
            return
        request.is_over = True
        self._waiting -= request.waiting
        self._pieces -= len(request.costs) - request.next
        self._unbegun -= request.next < len(request.costs)
        for batch in request.running:
            wanted = self._running[batch].wanted
            wanted.discard(number)
            if not wanted:
                self._left.append(batch)
