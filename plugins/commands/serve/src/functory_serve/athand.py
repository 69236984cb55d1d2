"""Begins what is awaited, and tells whether it is over at once: what is at hand needs no clock and no task of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


class Begun(Generic[T]):
    """Something awaited that has been taken as far as it comes without waiting; awaiting it goes on from there.

    :raises BaseException: what it raises at once.
    """

    __slots__ = ("_steps", "_waited", "is_over", "result")

    def __init__(self, awaited: Awaitable[T]) -> None:
        self._steps = cast("Generator[Any, None, T]", awaited.__await__())
        self.is_over = False
        """Whether it came to its end."""
        self.result = cast("T", None)
        """What it gave then."""
        try:
            self._waited = next(self._steps)
        except StopIteration as end:
            self.is_over, self.result = True, end.value

    def __await__(self) -> Generator[Any, None, T]:
        """Wait for what it waits for, and hand on what it is told meanwhile: that it is cancelled, for one."""
        while not self.is_over:
            try:
                self._waited = self._steps.throw(error) if (error := (yield from _told(self._waited))) else next(self._steps)
            except StopIteration as end:
                self.is_over, self.result = True, end.value
        return self.result


def _told(waited: Any) -> Generator[Any, None, BaseException | None]:
    """Wait for something; return what was raised here meanwhile."""
    try:
        yield waited
    except BaseException as error:
        return error
    return None

