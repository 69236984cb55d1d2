"""One function at work for many requests: the batcher on the loop's clock, the batches in threads of their own.

The thread that has computed a batch takes the next one itself: a loop that is busy with hundreds of requests would let it wait.
So the batcher, the threads, and what is asked, are locked; all else belongs to the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from functory_sdk import Attribution, Function, FunctoryError, NotSupported, Spent, left_by, spending
from functory_serve.admission import Late, Overloaded
from functory_serve.batcher import Batch, Batcher, Turn
from functory_serve.computing import Outcome, computed
from functory_serve.cores import Cores
from functory_serve.costs import cost_of, written_by
from functory_serve.drift import Drift
from functory_serve.lane import Lanes
from functory_serve.limits import Limits
from functory_serve.measures import Measures
from functory_serve.texts import Text
from functory_serve.tracing import CURRENT, Traced


class Hanging(FunctoryError):
    """The batch that a request was in was given up."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request: its inputs, what waits for their outcomes, and when it came.

    :param function: what writes them, where they are to be written otherwise; whatever is served when their turn comes if None.
    """

    values: Sequence[Any]
    function: Function | None
    whole: asyncio.Future[list[Outcome]]
    at: float
    traced: Traced | None


@dataclass(frozen=True, slots=True)
class _Work:
    """A batch, and what it is computed with.

    :param left: set once nobody waits for it any more.
    """

    batch: Batch
    values: Sequence[Any]
    function: Function
    drift: Drift
    left: threading.Event


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of a batch: for each input, for the requests that are whole by it, and for those whose time ran out.

    :param beside: how many other batches ran when it ended.
    """

    batch: Batch
    beside: int
    outcomes: Sequence[Outcome]
    abstained: int
    spent: Spent
    at: float
    whole: Sequence[tuple[_Asked, list[Outcome]]]
    over: Sequence[tuple[_Asked, Exception]]


class Serving:
    """A function with the requests that have no answer yet. Made, and used, in a running event loop.

    :param name: under which it is served.
    :param function: what is served.
    :param cores: the workers' shares of the machine's cores; None where it is all that is computed.
    """

    def __init__(
        self, name: str, function: Function, limits: Limits, measures: Measures, cores: Cores | None = None
    ) -> None:
        self.name = name
        self.function = function
        self.measures = measures.of(name)
        self.room = asyncio.Semaphore(limits.streams)
        """For texts that are written for a client each as they come, apart from the batches."""
        self.explanations = 0
        """How many outputs are being explained."""
        self._limits = limits
        self._shared = partial(cores.shared, name) if cores is not None else nullcontext
        self.batcher = Batcher(limits, is_open=function.form.is_written)
        self._drift, self._written = Drift(function), written_by(function)
        measures.watch(name, lambda: self.batcher.requests, lambda: self.batcher.waiting, lambda: self._drift)
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._lanes = Lanes(name)
        self._asked: dict[int, _Asked] = {}
        self._left: dict[int, threading.Event] = {}
        """Of each batch that runs: how it is told that nobody waits for it."""
        self._timer: asyncio.TimerHandle | None = None
        self._wake: float | None = None
        """When that is; not every loop's timers tell."""

    def excess(self, cost: int, seconds: float | None) -> float | None:
        """Return by how many seconds there is too much to do for one more request; None where it would be taken on.

        :param cost: of its body, as its length tells it.
        :param seconds: how much time the request has; the limit's when None.
        """
        with self._lock:
            return self.batcher.excess(cost + self._written, seconds)

    def renew(self, function: Function) -> None:
        """Let another function answer from the next batch on."""
        self.function, self._drift, self._written = function, Drift(function), written_by(function)
        with self._lock:
            self.batcher.is_open = function.form.is_written
        self._turn()

    async def answer(
        self, values: Sequence[Any], seconds: float | None = None, decoding: Mapping[str, Any] | None = None
    ) -> list[Outcome]:
        """Return what comes of each input of a request, in their order.

        Who cancels it leaves: what of it is not computed yet never is, and a text that is being written ends at its next token.

        :param values: the task's Inputs.
        :param seconds: how much time the request has; the limit's when None.
        :param decoding: how texts are written otherwise, as `Function.using` takes it.
        :raises NotSupported: for a decoding, by functions that do not write.
        :raises OptionError: for an option of it that is none.
        :raises Overloaded: when it cannot be expected to be answered in time.
        :raises Late: when its time ran out.
        :raises Hanging: when its batch was given up.
        """
        if not values:
            return []
        function, written = None, self._written
        if decoding:
            function = self._otherwise(decoding)
            written = written_by(function)
        now = self._loop.time()
        costs = [cost_of(value) + written for value in values]
        whole: asyncio.Future[list[Outcome]] = self._loop.create_future()
        with self._lock:
            number = self.batcher.offer(costs, now, seconds)
            self._asked[number] = _Asked(values, function, whole, now, CURRENT.get())
            is_due = self.batcher.changes(number, self._wake)
        if is_due:
            self._turn()
        try:
            return await whole
        finally:
            with self._lock:
                has_left = self._asked.pop(number, None) is not None
                if has_left:
                    self.batcher.leave(number)
            if has_left:
                self._turn()

    def _otherwise(self, decoding: Mapping[str, Any]) -> Function:
        """Return the function writing otherwise.

        :raises NotSupported: when it does not write.
        """
        if not self.batcher.is_open:
            raise NotSupported(f"{self.name} does not write text.", do="only what writes has a decoding.")
        return self.function.using(**decoding)

    async def explained(self, value: Any, asked: Mapping[str, str]) -> Attribution:
        """Return why the output for an input is what it is.

        Apart from the batches: it is many forward passes, for one who wants to know. What a client left goes on to its end, and
        has its place until then.

        :param value: the task's Input.
        :param asked: method and target, as `Function.explain` takes them; its defaults for what is left out.
        :raises Overloaded: when as many are being explained as may be.
        :raises Late: when it takes longer than a request may.
        """
        if self.explanations >= self._limits.explanations:
            raise Overloaded("as many outputs are being explained as may be at once.", 1.0)
        self.explanations += 1
        explaining = self._loop.run_in_executor(None, lambda: self.function.explain(value, **asked))
        explaining.add_done_callback(self._explanation_ended)
        try:
            async with asyncio.timeout(self._limits.timeout_seconds):
                return await asyncio.shield(explaining)
        except TimeoutError:
            raise Late("the explanation took longer than a request may.", do="ask for a shorter text's.") from None

    def _explanation_ended(self, explaining: asyncio.Future[Attribution]) -> None:
        self.explanations -= 1
        if not explaining.cancelled():
            explaining.exception()  # told to whom asked, if still there

    async def stream(self, value: Any, decoding: Mapping[str, Any]) -> Text:
        """Begin to write the text for an input, together with all that is written.

        :param decoding: as `Function.using` takes it.
        :raises NotSupported: by functions that do not write.
        :raises OptionError: for an option that is none.
        :raises Overloaded: when as many texts are being written as may be.
        """
        function = self.function.using(**decoding) if decoding else self.function
        self._check_room()
        await self.room.acquire()
        try:
            return Text(await asyncio.to_thread(function.stream, value), self.room.release)
        except BaseException:
            self.room.release()
            raise

    def _check_room(self) -> None:
        """Refuse to begin where as many texts are being written as may be; what one request asks for besides waits for its own.

        :raises Overloaded: when there are as many.
        """
        if self.room.locked():
            raise Overloaded("as many texts are being written as may be at once.", 1.0)

    def close(self) -> None:
        """Let the threads end; nobody asks any more."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._lanes.close()
            for left in self._left.values():
                left.set()

    def _turn(self) -> None:
        """Do what is to be done now, and see to it that what is to be done later is."""
        with self._lock:
            turn = self.batcher.turn(self._loop.time())
            over = self._over(turn)
            for batch in turn.batches:
                self._begin(batch)
        _tell(over)
        self._wake_at(turn.wake)

    def _wake_at(self, when: float | None) -> None:
        """See to it that there is a turn at a time; most turns leave it as it is."""
        if self._wake == when:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._wake, self._timer = when, self._loop.call_at(when, self._timed) if when is not None else None

    def _timed(self) -> None:
        self._wake = self._timer = None
        self._turn()

    def _begin(self, batch: Batch) -> None:
        """Have a batch computed in a thread that does nothing else."""
        self._lanes.begin(batch.number, partial(self._compute, self._work(batch)))

    def _over(self, turn: Turn) -> list[tuple[_Asked, Exception]]:
        """Leave the batches that nobody waits for, and the threads that hang; forget the requests that have no answer, and return
        them with what they are told.
        """
        for number in (*turn.left, *turn.given_up):
            if number in self._left:
                self._left.pop(number).set()
        for number in turn.given_up:
            self._lanes.leave(number)
        late = [(self._asked.pop(number), _late()) for number in turn.late]
        return [*late, *((self._asked.pop(number), _hanging()) for number in turn.hanging)]

    def _work(self, batch: Batch) -> _Work:
        asked = [self._asked[piece.request] for piece in batch.pieces]
        values = [one.values[piece.place] for one, piece in zip(asked, batch.pieces, strict=True)]
        self._left[batch.number] = left = threading.Event()
        own = asked[0].function if self.batcher.is_open else None  # a reload may have put one in its place that writes none
        return _Work(batch, values, own or self.function, self._drift, left)

    def _compute(self, work: _Work | None) -> None:
        """Compute a batch in a thread of its own, and what is due after it, as long as something is."""
        while work is not None:
            with spending() as spent, left_by(work.left), self._shared():
                outcomes, abstained = computed(work.function, work.values, work.drift)
            work = self._next(work.batch, outcomes, abstained, spent)

    def _next(self, batch: Batch, outcomes: Sequence[Outcome], abstained: int, spent: Spent) -> _Work | None:
        """Let the loop tell what came of a batch; return what is to be computed next in its thread."""
        with self._lock:
            if not self._lanes.is_here(batch.number):  # it was left behind
                return None
            self._left.pop(batch.number, None)
            now, beside = self._loop.time(), self.batcher.running - 1
            whole = [(self._asked.pop(one.request), one.outcomes) for one in self.batcher.finish(batch, outcomes, now)]
            turn = self.batcher.turn(now)
            done = _Done(batch, beside, outcomes, abstained, spent, now, whole, self._over(turn))
            first, others = next(iter(turn.batches), None), turn.batches[1:]
            self._lanes.end(batch.number, first.number if first is not None else None)
            following = self._work(first) if first is not None else None
            for other in others:
                self._begin(other)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._finish, done)
        return following

    def _finish(self, done: _Done) -> None:
        """Tell what came of a batch."""
        self.measures.batch(len(done.outcomes) + done.beside, done.batch.cost)
        self.measures.spent(done.spent)
        self.measures.gave(sum(isinstance(one, bytes) for one in done.outcomes), done.abstained)
        for asked, outcomes in done.whole:
            self.measures.took(done.at - asked.at, done.at - done.batch.begun)
            if asked.traced is not None:
                asked.traced.stages(asked.at, done.batch.begun, done.at)
            if not asked.whole.done():
                asked.whole.set_result(outcomes)
        _tell(done.over)
        self._turn()


def _tell(over: Sequence[tuple[_Asked, Exception]]) -> None:
    """Tell requests why they have no answer."""
    for asked, error in over:
        if not asked.whole.done():
            asked.whole.set_exception(error)


def _late() -> Exception:
    return Late("the time of this request ran out before its answer came.", do="give it more.")


def _hanging() -> Exception:
    return Hanging("the function gave no answer, and was left behind.", do="try again.")
