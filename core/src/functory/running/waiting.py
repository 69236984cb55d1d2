"""Waits in threads for what an event loop asks, for as many at once as there may be: threads that wait compute nothing.

Apart from `asyncio.to_thread`, whose few threads are for work: a hundred texts that are written together are waited for by a
hundred threads, or else most of them would join when others have ended.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
MOST = 512
"""Threads that wait at once; what comes beyond waits for one of them."""


async def waited(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a call gives that waits for what others compute, while the event loop goes on."""
    work = partial(contextvars.copy_context().run, call, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_threads(os.getpid()), work)


@lru_cache(1)
def _threads(process: int) -> ThreadPoolExecutor:
    """Return the threads of a process, of which there are as many as were ever needed at once. A fork has none of them."""
    return ThreadPoolExecutor(MOST, thread_name_prefix="functory-waiting")
