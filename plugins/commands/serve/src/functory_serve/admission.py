"""Decides whether one more request is taken on, before latency collapses: by what waits already, and how fast it goes away.

Pure: it is told what is expected and measures nothing, so that a simulation can put it through anything.
"""

from __future__ import annotations

from functory_sdk import FunctoryError
from functory_serve.limits import Limits

HEADROOM = 0.8
"""The share of a request's time that may be expected to pass: who is let in and is late was computed for nothing."""
BUSY = "there is more to do than can be done in the time of this request."


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
    """Keeps what waits so short that all of it can be answered in time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def check(self, wait: float, run: float, requests: int, seconds: float) -> None:
        """Let a request in, or not.

        :param wait: seconds for which it may be expected to wait; in closed batches its own batch is counted among them.
        :param run: seconds that it may take once it has begun.
        :param requests: how many have no answer yet.
        :param seconds: how much time it has.
        :raises Late: when it has none.
        :raises Overloaded: when its answer cannot be expected in time. A function that has nothing else to do takes on anything.
        """
        if seconds <= 0:
            raise Late("the time of this request is over.", do="give it more.")
        excess = self.excess(wait, run, requests, seconds)
        if excess is not None:
            raise Overloaded("there are as many requests as can wait." if requests >= self._limits.waiting else BUSY, excess)

    def excess(self, wait: float, run: float, requests: int, seconds: float) -> float | None:
        """Return by how many seconds there is too much to do for one more request; None where it is let in.

        :param wait: as for `check`, and the others likewise.
        """
        if not requests:
            return None
        over = max(wait - self._limits.wait_seconds, wait + run - seconds * HEADROOM)
        if over > 0:
            return over
        return wait + run if requests >= self._limits.waiting else None
