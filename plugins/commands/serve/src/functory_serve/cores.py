"""The machine's cores, shared out among the workers of a server: who computes alone has all of them."""

from __future__ import annotations

import mmap
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from functory_sdk import cores, sharing_cores

AFTER_SECONDS = 0.02
"""For which a worker that has computed counts as one that computes: under load the next batch is about to begin."""
NUMBER = 8
"""Bytes of a time."""


class Cores:
    """What a server's workers know of one another: until when each computes. Made before they are forked.

    :param workers: how many there are.
    """

    def __init__(self, workers: int) -> None:
        self._until = memoryview(mmap.mmap(-1, NUMBER * workers)).cast("d")  # shared with what is forked
        self.take(0)

    def take(self, worker: int) -> None:
        """Be one of the workers, by its number; the one whose place it takes computes no more."""
        self._own, self._lock = worker, threading.Lock()
        self._batches = Counter[str]()
        self._until[worker] = 0.0

    @contextmanager
    def shared(self, name: str) -> Iterator[None]:
        """Compute a batch in this thread with a share of the cores: all that the engine takes where nothing else computes.

        :param name: of the function; its batches count once: texts are written together, and one may hang.
        """
        with self._lock:
            self._batches[name] += 1
            self._until[self._own] = float("inf")
        try:
            with sharing_cores(self.threads()):
                yield
        finally:
            with self._lock:
                self._batches -= Counter((name,))  # which drops what is at zero
                if not self._batches:
                    self._until[self._own] = time.monotonic() + AFTER_SECONDS

    def threads(self) -> int:
        """Return how many threads a batch of this worker takes; 0 for as many as the engine takes."""
        now = time.monotonic()
        others = sum(until > now for worker, until in enumerate(self._until) if worker != self._own)
        at_once = others + len(self._batches)
        return max(1, cores() // at_once) if at_once > 1 else 0
