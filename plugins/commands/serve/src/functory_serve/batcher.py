"""Brings the inputs of many requests together in batches, and gives each request what came of its own, whole and in order.

Pure: it is told the time and has none of its own, computes nothing and waits for nothing, so that a simulation can put it
through any schedule. `serving` lets it work on a clock and a thread.

A batch takes one input of each request in turn until it is full, so that a long list holds up nobody. Whoever comes alone
waits for nobody; under load what comes while a batch runs makes the next one.
"""

from __future__ import annotations

import heapq
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
    :param hanging: requests of a batch that was given up; they are forgotten.
    :param batch: to be computed now; the next one comes when it is finished, or given up.
    :param wake: when to ask again, if nothing happens before; None where nothing will.
    """

    late: list[int]
    hanging: list[int]
    batch: Batch | None
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
    is_over: bool = field(default=False)


class Batcher:
    """The requests of one function that have no answer yet, and the batch that runs.

    :param limits: how much it takes on, and how long a batch may be.
    """

    def __init__(self, limits: Limits) -> None:
        self.pace = Pace()
        self.is_hanging = False
        """Whether the last batch that ended was given up."""
        self._limits = limits
        self._admission = Admission(limits, self.pace)
        self._requests: dict[int, _Request] = {}
        self._turn_of: deque[_Request] = deque()
        self._deadlines: list[tuple[float, int]] = []
        self._waiting = self._pieces = 0
        self._running: Batch | None = None
        self._last = (0, 0.0)
        self._free_since = float("-inf")
        self._numbers = self._batches = 0

    @property
    def waiting(self) -> int:
        """The cost that no batch has taken."""
        return self._waiting

    @property
    def requests(self) -> int:
        """How many requests have no answer yet."""
        return len(self._requests)

    def offer(self, costs: Sequence[int], now: float, seconds: float | None = None) -> int:
        """Take on a request; return its number.

        :param costs: of each of its inputs, one at least.
        :param seconds: how much time it has; the limit's when None.
        :raises Late: when that is over.
        :raises Overloaded: when it cannot be expected to be answered in time.
        """
        seconds = min(seconds if seconds is not None else float("inf"), self._limits.timeout_seconds)
        cost = sum(costs)
        ahead = self._waiting + (self._running.cost if self._running is not None else 0)
        self._admission.check(cost, ahead, len(self._requests), seconds)
        self._numbers += 1
        made = _Request(self._numbers, costs, [None] * len(costs), len(costs), now + seconds, waiting=cost)
        self._requests[made.number] = made
        self._turn_of.append(made)
        self._waiting += cost
        self._pieces += len(costs)
        heapq.heappush(self._deadlines, (made.deadline, made.number))
        return made.number

    def leave(self, request: int) -> None:
        """Forget a request whose client has gone; what of it no batch has taken is not computed."""
        self._forget(request)

    def turn(self, now: float) -> Turn:
        """Return what is to be done now; asked after everything that happens, and when the last one said to wake."""
        late = self._late(now)
        hanging = self._hanging(now)
        due = self._due(now)
        batch = self._take(now) if due is not None and due <= now else None
        return Turn(late, hanging, batch, self._wake(None if batch is not None else due))

    def finish(self, batch: Batch, outcomes: Sequence[Any], now: float) -> list[Answered]:
        """Take in what came of a batch; return the requests that are whole by it.

        What comes of a batch that was given up is nobody's any more.

        :param outcomes: one for each of its pieces.
        """
        if self._running is not batch:
            return []
        self._running, self._free_since, self.is_hanging = None, now, False
        self._last = (len(batch.pieces), now - batch.begun)
        self.pace.saw(batch.cost, now - batch.begun)
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

    def _late(self, now: float) -> list[int]:
        """Forget the requests whose time ran out, and return them."""
        late = []
        while self._deadlines and (self._deadlines[0][0] <= now or self._deadlines[0][1] not in self._requests):
            _, number = heapq.heappop(self._deadlines)
            if number in self._requests:
                late.append(number)
                self._forget(number)
        return late

    def _hanging(self, now: float) -> list[int]:
        """Give up a batch that runs for too long; forget its requests, and return them."""
        batch = self._running
        if batch is None or now < batch.begun + self._limits.compute_seconds:
            return []
        self._running, self._free_since, self._last, self.is_hanging = None, now, (0, 0.0), True
        hanging = list(dict.fromkeys(piece.request for piece in batch.pieces if piece.request in self._requests))
        for number in hanging:
            self._forget(number)
        return hanging

    def _due(self, now: float) -> float | None:
        """Return when the next batch is to begin; None where one runs or nothing waits."""
        if self._running is not None or not self._pieces:
            return None
        count, seconds = self._last
        if self._pieces >= count or self._waiting >= self._budget():
            return now
        return self._free_since + min(seconds * LINGER_SHARE, LINGER_MOST)

    def _budget(self) -> float:
        return max(LEAST_BUDGET, self.pace.within(self._limits.batch_seconds))

    def _take(self, now: float) -> Batch:
        """Return a batch: one input of each request in turn, until it is full or none is left."""
        budget, cost = self._budget(), 0
        pieces: list[Piece] = []
        while self._turn_of:
            request = self._turn_of[0]
            if request.is_over:
                self._turn_of.popleft()
                continue
            own = request.costs[request.next]
            if pieces and cost + own > budget:
                break
            pieces.append(Piece(request.number, request.next))
            cost += own
            request.next += 1
            request.waiting -= own
            self._turn_of.popleft()
            if request.next < len(request.costs):
                self._turn_of.append(request)
        self._waiting -= cost
        self._pieces -= len(pieces)
        self._batches += 1
        self._running = Batch(self._batches, tuple(pieces), cost, now)
        return self._running

    def _wake(self, due: float | None) -> float | None:
        """Return when something is to be done by the clock alone."""
        times = [due] if due is not None else []
        if self._running is not None:
            times.append(self._running.begun + self._limits.compute_seconds)
        if self._deadlines:
            times.append(self._deadlines[0][0])
        return min(times, default=None)

    def _forget(self, number: int) -> None:
        """Drop a request, with what of it waits."""
        request = self._requests.pop(number, None)
        if request is None:
            return
        request.is_over = True
        self._waiting -= request.waiting
        self._pieces -= len(request.costs) - request.next
