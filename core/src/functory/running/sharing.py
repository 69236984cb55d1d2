"""How many threads the computations of a thread take while others compute beside them, in this process or another."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager

_shared: contextvars.ContextVar[int | None] = contextvars.ContextVar("shared", default=None)


@contextmanager
def sharing_cores(threads: int) -> Iterator[None]:
    """Let what this thread computes while the block runs take so many threads, whatever its session was opened with.

    Engines that are told when a session is opened, and then no more, go on as they were told.

    :param threads: as many as the engine takes by itself when 0.
    """
    before = _shared.set(threads)
    try:
        yield
    finally:
        _shared.reset(before)


def shared_threads() -> int | None:
    """Return how many threads this thread's computations are to take, 0 for as many as the engine takes by itself; None where
    nothing is said, and the session's own options hold.
    """
    return _shared.get()
