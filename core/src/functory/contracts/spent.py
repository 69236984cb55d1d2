"""Counts the tokens that computing takes, for whoever wants to know: a server's metrics.

A context of its own, so that neither engines nor forms hand anything on for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Spent:
    """Tokens that computing took.

    :param read: of rows that passed through a program, and of what texts were begun with.
    :param padding: places of batches that held none.
    :param written: chosen, one after the other.
    """

    read: int = 0
    padding: int = 0
    written: int = 0


_COUNTED: ContextVar[Spent | None] = ContextVar("functory_spent", default=None)


@contextmanager
def spending() -> Iterator[Spent]:
    """Count what is computed in this thread, or task, while the block runs."""
    before = _COUNTED.set(found := Spent())
    try:
        yield found
    finally:
        _COUNTED.reset(before)


def spend(*, read: int = 0, padding: int = 0, written: int = 0) -> None:
    """Count tokens, where somebody does."""
    found = _COUNTED.get()
    if found is not None:
        found.read += read
        found.padding += padding
        found.written += written
