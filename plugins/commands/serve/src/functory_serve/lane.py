"""Threads that compute one batch after the other, and can be left behind where they hang.

Apart from `concurrent.futures`, whose threads the interpreter waits for when it ends.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

Work = Callable[[], None]
"""Something to do in a thread."""


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


class Lanes:
    """The threads of one function, as many as there were ever batches at once. Whoever uses them has a lock for that.

    :param name: the threads'.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._idle: list[Lane] = []
        self._busy: dict[int, Lane] = {}
        self._is_closed = False

    def begin(self, batch: int, work: Work) -> None:
        """Compute a batch in a thread that does nothing else; none, once they are closed."""
        if not self._is_closed:
            self._busy[batch] = lane = self._idle.pop() if self._idle else Lane(self._name)
            lane.do(work)

    def end(self, batch: int, following: int | None) -> bool:
        """Note, in a batch's own thread, that it was computed; return whether the thread may go on: it was left behind else.

        :param following: the batch that the thread computes next; it rests when None.
        """
        lane = self._busy.pop(batch, None)
        if lane is None:
            return False
        if following is None:
            self._idle.append(lane)
        else:
            self._busy[following] = lane
        return True

    def is_here(self, batch: int) -> bool:
        """Whether a batch is computed by a thread that was not left behind."""
        return batch in self._busy

    def leave(self, batch: int) -> None:
        """Leave a batch's thread behind: it may never come back, and ends where it does."""
        lane = self._busy.pop(batch, None)
        if lane is not None:
            lane.close()

    def close(self) -> None:
        """Let all end after what they do."""
        self._is_closed = True
        for lane in (*self._idle, *self._busy.values()):
            lane.close()
        self._idle, self._busy = [], {}
