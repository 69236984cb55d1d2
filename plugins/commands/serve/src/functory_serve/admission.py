"""Decides whether one more request is taken on, before latency collapses: by what waits already, and how fast it goes away.

Pure: it is told the time and has none of its own, so that a simulation can put it through any.
"""

from __future__ import annotations

from functory_sdk import FunctoryError
from functory_serve.limits import Limits
from functory_serve.pace import Pace

HEADROOM = 0.8
"""The share of a request's time that may be expected to pass: who is let in and is late was computed for nothing."""


class Overloaded(FunctoryError):
    """There is more to do than can be done in time; nothing was computed for this request.

    :param retry_seconds: after which it may be tried again.
    """

    def __init__(self, what: str, retry_seconds: float) -> None:
        super().__init__(what, do=f"try again in {max(1, round(retry_seconds))} s.")
        self.retry_seconds = retry_seconds


class Late(FunctoryError):
    """The time that a request had is over."""


class Admission:
    """Keeps what waits so short that all of it can be answered in time.

    :param pace: how fast the function works.
    """

    def __init__(self, limits: Limits, pace: Pace) -> None:
        self._limits, self._pace = limits, pace

    def check(self, cost: int, ahead: int, requests: int, seconds: float) -> None:
        """Let a request in, or not.

        :param cost: its own.
        :param ahead: the cost of all that is to be done before it is.
        :param requests: how many have no answer yet.
        :param seconds: how much time it has.
        :raises Late: when it has none.
        :raises Overloaded: when its answer cannot be expected in time. A function that has nothing else to do takes on anything.
        """
        if seconds <= 0:
            raise Late("the time of this request is over.", do="give it more.")
        if not requests:
            return
        expected = self._pace.seconds(ahead + cost)
        room = min(self._limits.wait_seconds, seconds * HEADROOM)
        if expected > room:
            raise Overloaded("there is more to do than can be done in the time of this request.", expected - room)
        if requests >= self._limits.waiting:
            raise Overloaded("there are as many requests as can wait.", expected)
