"""Many inputs as requests: of a size that servers take, several under way at once, answered in their order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
BYTES = 1_000_000
"""Bytes of the inputs of one request; a longer one goes alone."""


def parted(inputs: Sequence[bytes], most: int) -> list[list[bytes]]:
    """Return inputs in parts, in their order.

    :param inputs: each as JSON.
    :param most: how many are in one.
    """
    parts: list[list[bytes]] = []
    size = 0
    for one in inputs:
        if not parts or len(parts[-1]) == most or size + len(one) > BYTES:
            parts.append([])
            size = 0
        parts[-1].append(one)
        size += len(one)
    return parts


def in_order(work: Callable[[T, threading.Event], R], items: Iterable[T], at_once: int) -> Iterator[R]:
    """Give what work makes of items, in their order, several at once.

    Where one fails, or the iterator is closed, the others are told to stop and not waited for.

    :param work: is given an item, and an event that is set once nobody waits.
    """
    stop, waiting = threading.Event(), iter(items)
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="functory-remote")
    try:
        running = [pool.submit(work, item, stop) for item in islice(waiting, at_once)]
        while running:
            yield running.pop(0).result()
            running += [pool.submit(work, item, stop) for item in islice(waiting, 1)]
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
