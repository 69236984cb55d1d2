"""A thread that computes one batch after the other, and can be left behind where it hangs.

Apart from `concurrent.futures`, whose threads the interpreter waits for when it ends.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

Work = Callable[[], None]
"""Something to do in the thread."""


class Lane:
    """A thread for one function.

    :param name: the thread's.
    """

    def __init__(self, name: str) -> None:
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
            work()
