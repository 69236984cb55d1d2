"""One function at work for many requests: the batcher on the loop's clock, the batches in a thread of their own.

All that it keeps belongs to the loop; only a batch's computing is another thread's. So nothing here is locked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functory_sdk import Attribution, Function, FunctoryError, Spent, spending
from functory_serve.admission import Late, Overloaded
from functory_serve.batcher import Batch, Batcher
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


class Serving:
    """A function with the requests that have no answer yet. Made, and used, in a running event loop.

    :param name: under which it is served.
    :param function: what is served.
    """

    def __init__(self, name: str, function: Function, limits: Limits, measures: Measures) -> None:
        self.name = name
        self.function = function
        self.measures = measures.of(name)
        self.streams = 0
        """How many texts are being written for a client each, apart from the batches."""
        self.explanations = 0
        """How many outputs are being explained."""
        self._limits = limits
        self.batcher = Batcher(limits)
        self._drift = Drift(function)
        measures.watch(name, lambda: self.batcher.requests, lambda: self.batcher.waiting, lambda: self._drift)
        self._loop = asyncio.get_running_loop()
        self._lane = Lane(name, self._loop)
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
        number = self.batcher.offer([cost_of(value) for value in values], now, seconds)
        whole: asyncio.Future[list[Outcome]] = self._loop.create_future()
        self._asked[number] = _Asked(values, whole, now, CURRENT.get())
        self._turn()
        try:
            return await whole
        finally:
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
        self._take_places(len(values))
        writing = [asyncio.ensure_future(self._one(function, value)) for value in values]
        try:
            async with asyncio.timeout(seconds or self._limits.timeout_seconds):
                outcomes: list[Outcome] = await asyncio.gather(*writing)
        except TimeoutError:
            raise Late("the time of this request ran out before its answer came.", do="give it more.") from None
        finally:
            for one in writing:
                one.cancel()
        return outcomes

    async def _one(self, function: Function, value: Any) -> Outcome:
        """Return what comes of one input, which has its place."""
        try:
            output = await function.acall(value)
            self.measures.gave(1, int(output.abstained))
            return output.json().encode()  # type: ignore[no-any-return]  # an Output's
        except Exception as error:
            return error
        finally:
            self._leave_place()

    async def stream(self, value: Any, decoding: Mapping[str, Any]) -> Text:
        """Begin to write the text for an input, together with all that is written.

        :param decoding: as `Function.using` takes it.
        :raises NotSupported: by functions that do not write.
        :raises OptionError: for an option that is none.
        :raises Overloaded: when as many texts are being written as may be.
        """
        function = self.function.using(**decoding) if decoding else self.function
        self._take_places(1)
        try:
            return Text(await asyncio.to_thread(function.stream, value), self._leave_place)
        except BaseException:
            self._leave_place()
            raise

    def _take_places(self, texts: int) -> None:
        """Count texts that are written.

        :raises Overloaded: when they would be more than may be.
        """
        if self.streams + texts > self._limits.streams:
            most = self._limits.streams
            raise Overloaded(f"there is no room for {texts} more among the {most} texts that are written at once.", 1.0)
        self.streams += texts

    def _leave_place(self) -> None:
        self.streams -= 1

    def close(self) -> None:
        """Let the thread end; nobody asks any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._lane.close()

    def _turn(self) -> None:
        """Do what is to be done now, and see to it that what is to be done later is."""
        turn = self.batcher.turn(self._loop.time())
        for number in turn.late:
            self._fail(number, Late("the time of this request ran out before its answer came.", do="give it more."))
        if turn.hanging:
            self._leave_behind()
        for number in turn.hanging:
            self._fail(number, Hanging("the function gave no answer, and was left behind.", do="try again."))
        if turn.batch is not None:
            self._begin(turn.batch)
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

    def _begin(self, batch: Batch) -> None:
        """Let the thread compute a batch."""
        values = [self._asked[piece.request].values[piece.place] for piece in batch.pieces]
        function, drift = self.function, self._drift

        def work() -> Callable[[], None]:
            with spending() as spent:
                outcomes, abstained = computed(function, values, drift)
            return lambda: self._finish(batch, outcomes, abstained, spent)

        self._lane.do(work)

    def _finish(self, batch: Batch, outcomes: Sequence[Outcome], abstained: int, spent: Spent) -> None:
        now = self._loop.time()
        self.measures.batch(len(outcomes), batch.cost)
        self.measures.spent(spent)
        self.measures.gave(sum(isinstance(one, bytes) for one in outcomes), abstained)
        for done in self.batcher.finish(batch, outcomes, now):
            asked = self._asked.pop(done.request)
            self.measures.took(now - asked.at, now - batch.begun)
            if asked.traced is not None:
                asked.traced.stages(asked.at, batch.begun, now)
            if not asked.whole.done():
                asked.whole.set_result(done.outcomes)
        self._turn()

    def _leave_behind(self) -> None:
        """Go on in another thread: this one may never come back."""
        self._lane.close()
        self._lane = Lane(self.name, self._loop)

    def _fail(self, number: int, error: Exception) -> None:
        whole = self._asked.pop(number).whole
        if not whole.done():
            whole.set_exception(error)
