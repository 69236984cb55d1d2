"""How many threads one computation takes: set for the calling thread and for a while, for torch's number is everybody's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from functory_sdk import shared_threads

T = TypeVar("T")


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with so many threads within the block; with as many as torch takes where 0, or as `sharing_cores` says, though no
    more than torch takes.
    """
    before, shared = torch.get_num_threads(), shared_threads()
    if shared is not None:
        count = min(shared, before)
    if not count or count == before:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threaded(count: int, work: Iterator[T]) -> Iterator[T]:
    """Go through what computes as it is asked, each time with so many threads: between, the caller has its own."""
    while True:
        with threads(count):
            try:
                item = next(work)
            except StopIteration:
                return
        yield item
