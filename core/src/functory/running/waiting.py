"""Waits in threads for what an event loop asks, for as many at once as there may be: threads that wait compute nothing.

Apart from `asyncio.to_thread`, whose few threads are for work: a hundred texts that are written together are waited for by a
hundred threads, or else most of them would join when others have ended.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from functory.contracts.decoding import Request

P = ParamSpec("P")
T = TypeVar("T")
MOST = 512
"""Threads that wait at once; what comes beyond waits for one of them."""
_left: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar("left", default=None)  # set once nobody waits


async def waited(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a call gives that waits for what others compute, while the event loop goes on. Where the task that asks is
    cancelled, what is written for the call leaves.
    """
    import asyncio

    left, context = threading.Event(), contextvars.copy_context()
    context.run(_left.set, left)
    work = partial(context.run, call, *args, **kwargs)
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads(os.getpid()), work)
    except asyncio.CancelledError:
        left.set()
        raise


@contextmanager
def left_by(left: threading.Event) -> Iterator[None]:
    """Let what is written in this thread while the block runs leave between two tokens, once somebody sets an event: nobody waits
    for it any more. The call that wrote it raises `concurrent.futures.CancelledError`.
    """
    before = _left.set(left)
    try:
        yield
    finally:
        _left.reset(before)


def leaving(request: Request) -> Request:
    """Return a request that leaves what is written together once nobody waits for this thread's call: it ends with an error of
    its own, at its next token, in whatever thread that is chosen.

    :raises CancelledError: where nobody waits already.
    """
    left, ends = _left.get(), request.ends
    if left is None:
        return request

    def ending(written: Sequence[int]) -> bool:
        _check(left)
        return ends is not None and ends(written)

    _check(left)
    return replace(request, ends=ending)


def check_left() -> None:
    """End this thread's call where nobody waits for it any more.

    :raises CancelledError: where nobody does.
    """
    left = _left.get()
    if left is not None:
        _check(left)


def _check(left: threading.Event) -> None:
    if left.is_set():
        from concurrent.futures import CancelledError

        raise CancelledError


@lru_cache(1)
def _threads(process: int) -> ThreadPoolExecutor:
    """Return the threads of a process, of which there are as many as were ever needed at once. A fork has none of them."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(MOST, thread_name_prefix="functory-waiting")
