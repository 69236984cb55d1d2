"""A thread that computes one batch after the other, and can be left behind where it hangs.

Apart from `concurrent.futures`, whose threads the interpreter waits for when it ends.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress

Work = Callable[[], Callable[[], None]]
"""Something to do in the thread; it returns what is to be done with the result in the loop."""


class Lane:
    """A thread for one function.

    :param name: the thread's.
    :param loop: where results are told.
    """

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=f"functory-serve-{name}", daemon=True).start()

    def do(self, work: Work) -> None:
        """Do something in the thread, after all that it was given before."""
        self._work.put(work)

    def close(self) -> None:
        """Let the thread end after what it was given."""
        self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            then = work()
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(then)
