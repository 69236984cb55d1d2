"""One function at work for many requests: the batcher on the loop's clock, the batches in a thread of their own.

The thread that has computed a batch takes the next one itself: a loop that is busy with hundreds of requests would let it wait.
So the batcher, and what is asked, are locked; all else belongs to the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from functory_sdk import Attribution, Function, FunctoryError, Spent, spending
from functory_serve.admission import Late, Overloaded
from functory_serve.batcher import Batch, Batcher, Turn
from functory_serve.computing import Outcome, computed
from functory_serve.costs import cost_of
from functory_serve.drift import Drift
from functory_serve.lane import Lane
from functory_serve.limits import Limits
from functory_serve.measures import Measures
from functory_serve.texts import Text
from functory_serve.tracing import CURRENT, Traced


class Hanging(FunctoryError):
    """The batch that a request was in was given up."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request: its inputs, what waits for their outcomes, and when it came."""

    values: Sequence[Any]
    whole: asyncio.Future[list[Outcome]]
    at: float
    traced: Traced | None


@dataclass(frozen=True, slots=True)
class _Work:
    """A batch, and what it is computed with."""

    batch: Batch
    values: Sequence[Any]
    function: Function
    drift: Drift


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of a batch: for each input, for the requests that are whole by it, and for those whose time ran out."""

    batch: Batch
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
    """

    def __init__(self, name: str, function: Function, limits: Limits, measures: Measures) -> None:
        self.name = name
        self.function = function
        self.measures = measures.of(name)
        self.room = asyncio.Semaphore(limits.streams)
        """For texts that are written for a client each, apart from the batches."""
        self.explanations = 0
        """How many outputs are being explained."""
        self._limits = limits
        self.batcher = Batcher(limits)
        self._drift = Drift(function)
        measures.watch(name, lambda: self.batcher.requests, lambda: self.batcher.waiting, lambda: self._drift)
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._lane: Lane | None = Lane(name)
        """Whose turn it is; None when all is over."""
        self._asked: dict[int, _Asked] = {}
        self._timer: asyncio.TimerHandle | None = None

    def renew(self, function: Function) -> None:
        """Let another function answer from the next batch on."""
        self.function, self._drift = function, Drift(function)

    async def answer(self, values: Sequence[Any], seconds: float | None = None) -> list[Outcome]:
        """Return what comes of each input of a request, in their order.

        Who cancels it leaves: what of it is not computed yet never is.

        :param values: the task's Inputs.
        :param seconds: how much time the request has; the limit's when None.
        :raises Overloaded: when it cannot be expected to be answered in time.
        :raises Late: when its time ran out.
        :raises Hanging: when its batch was given up.
        """
        if not values:
            return []
        now = self._loop.time()
        costs = [cost_of(value) for value in values]
        whole: asyncio.Future[list[Outcome]] = self._loop.create_future()
        with self._lock:
            number = self.batcher.offer(costs, now, seconds)
            self._asked[number] = _Asked(values, whole, now, CURRENT.get())
        self._turn()
        try:
            return await whole
        finally:
            with self._lock:
                if self._asked.pop(number, None) is not None:
                    self.batcher.leave(number)

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

    async def written(
        self, values: Sequence[Any], decoding: Mapping[str, Any], seconds: float | None = None
    ) -> list[Outcome]:
        """Return what comes of each input where its text is written otherwise: together with all that is written, and each as
        soon as it ends.

        Who cancels it leaves, and nothing more is computed.

        :param values: the task's Inputs.
        :param decoding: as `Function.using` takes it.
        :param seconds: how much time the request has; the limit's when None.
        :raises NotSupported: by functions that do not write.
        :raises OptionError: for an option that is none.
        :raises Overloaded: when as many texts are being written as may be.
        :raises Late: when its time ran out.
        """
        function = self.function.using(**decoding)
        self._check_room()
        share = asyncio.Semaphore(max(1, self._limits.streams // 2))  # a long list leaves room for others
        writing = [asyncio.ensure_future(self._one(function, value, share)) for value in values]
        try:
            async with asyncio.timeout(seconds or self._limits.timeout_seconds):
                outcomes: list[Outcome] = await asyncio.gather(*writing)
        except TimeoutError:
            raise Late("the time of this request ran out before its answer came.", do="give it more.") from None
        finally:
            for one in writing:
                one.cancel()
        return outcomes

    async def _one(self, function: Function, value: Any, share: asyncio.Semaphore) -> Outcome:
        """Return what comes of one input, once there is room for its text among all, and among those of its request."""
        async with share, self.room:
            try:
                output = await function.acall(value)
            except Exception as error:
                return error
        self.measures.gave(1, int(output.abstained))
        return output.json().encode()  # type: ignore[no-any-return]  # an Output's

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
        """Let the thread end; nobody asks any more."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            if self._lane is not None:
                self._lane.close()
            self._lane = None

    def _turn(self) -> None:
        """Do what is to be done now, and see to it that what is to be done later is."""
        with self._lock:
            turn = self.batcher.turn(self._loop.time())
            over = self._over(turn)
            if turn.hanging and self._lane is not None:  # go on in another thread: this one may never come back
                self._lane.close()
                self._lane = Lane(self.name)
            if turn.batch is not None and self._lane is not None:
                self._lane.do(partial(self._compute, self._lane, self._work(turn.batch)))
        _tell(over)
        self._wake_at(turn.wake)

    def _wake_at(self, when: float | None) -> None:
        """See to it that there is a turn at a time; most turns leave it as it is."""
        if self._timer is not None and self._timer.when() == when:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._timed) if when is not None else None

    def _timed(self) -> None:
        self._timer = None
        self._turn()

    def _over(self, turn: Turn) -> list[tuple[_Asked, Exception]]:
        """Forget the requests that have no answer, and return them with what they are told."""
        late = [(self._asked.pop(number), _late()) for number in turn.late]
        return [*late, *((self._asked.pop(number), _hanging()) for number in turn.hanging)]

    def _work(self, batch: Batch) -> _Work:
        values = [self._asked[piece.request].values[piece.place] for piece in batch.pieces]
        return _Work(batch, values, self.function, self._drift)

    def _compute(self, lane: Lane, work: _Work | None) -> None:
        """Compute a batch in the lane's thread, and what is due after it, as long as something is."""
        while work is not None:
            with spending() as spent:
                outcomes, abstained = computed(work.function, work.values, work.drift)
            work = self._next(lane, work.batch, outcomes, abstained, spent)

    def _next(
        self, lane: Lane, batch: Batch, outcomes: Sequence[Outcome], abstained: int, spent: Spent
    ) -> _Work | None:  # fmt: skip
        """Let the loop tell what came of a batch; return what is to be computed next, in the lane's thread."""
        with self._lock:
            if lane is not self._lane:  # it was left behind
                return None
            now = self._loop.time()
            whole = [(self._asked.pop(one.request), one.outcomes) for one in self.batcher.finish(batch, outcomes, now)]
            turn = self.batcher.turn(now)
            done = _Done(batch, outcomes, abstained, spent, now, whole, self._over(turn))
            following = self._work(turn.batch) if turn.batch is not None else None
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._finish, done)
        return following

    def _finish(self, done: _Done) -> None:
        """Tell what came of a batch."""
        self.measures.batch(len(done.outcomes), done.batch.cost)
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
