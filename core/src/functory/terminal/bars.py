"""How far work is: a bar on a terminal, a plain line now and then elsewhere, nothing when quiet."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from types import TracebackType
from typing import Generic, TextIO, TypeVar

from functory.terminal.drawing import clean, duration, is_terminal
from functory.terminal.foot import Foot
from functory.terminal.pace import Pace
from functory.terminal.streams import encodable
from functory.terminal.widths import cut, width

T = TypeVar("T")

LINE_SECONDS = 10.0  # at most one line in this time where there is no terminal
SHORT_SECONDS = 1.0  # work that took less leaves no trace
LONGEST_BAR, SHORTEST_BAR = 40, 6  # columns


def progress(
    work: Iterable[T] | int | None,
    description: str,
    *,
    total: int | None = None,
    quiet: bool | None = None,
    stream: TextIO | None = None,
) -> Progress[T]:
    """Show how far work is: a bar on a terminal, a line now and then elsewhere, nothing when quiet.

        for text in progress(texts, "encoding"): ...
        with progress(10_000, "training") as bar:
            bar.advance(32)

    :param work: what to go through; or the number of steps, which the caller then counts with `advance`; or
        None, where that number is not known.
    :param total: the number of steps, where `work` has no length.
    :param quiet: say nothing; when not given, as ``FUNCTORY_QUIET`` says.
    :param stream: where to; stderr when not given, so that results on stdout stay clean.
    """
    items = None if isinstance(work, int) else work
    if total is None:
        total = work if isinstance(work, int) else len(work) if isinstance(work, Sized) else None
    return Progress(items, total, _view(description, total, quiet, stream or sys.stderr))


class Progress(Generic[T]):
    """Work under way. Iterate over it, or enter it and call `advance`; from any thread."""

    def __init__(self, items: Iterable[T] | None, total: int | None, view: _Silent) -> None:
        self.items = items
        self.total = total
        self.done = 0.0
        self._view = view
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[T]:
        with self:
            for item in self.items or ():
                yield item
                self.advance()

    def __enter__(self) -> Progress[T]:
        self._view.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._view.stop(self.done, is_complete=kind is None)

    def advance(self, steps: float = 1) -> None:
        """Count steps as done; a part of one, where what it costs is known."""
        with self._lock:
            self.done += steps
            self._view.show(self.done)

    def expect(self, total: int) -> None:
        """Say how many steps there are, where that was not known, or has changed."""
        self.total = self._view.total = total

    def say(self, note: str) -> None:
        """Show a few words beside the count: what is done now, or how it goes."""
        self._view.note = " ".join(clean(note).split())


class _Silent:
    """Shows nothing."""

    note = ""
    total: int | None = None

    def start(self) -> None:
        """The work begins."""

    def show(self, done: float) -> None:
        """So many steps are done."""

    def stop(self, done: float, *, is_complete: bool) -> None:
        """The work is over, or was broken off."""


class _Lines(_Silent):
    """A plain line at most every ten seconds, and one at the end of what took longer than a moment."""

    def __init__(
        self, description: str, total: int | None, stream: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.description = " ".join(clean(description).split())
        self.total, self.stream, self.clock = total, stream, clock
        self.began = self.told = clock()
        self.pace = Pace()

    def start(self) -> None:
        self.began = self.told = self.clock()

    def show(self, done: float) -> None:
        now = self.clock()
        self.pace.mark(now, done)
        if now - self.told >= LINE_SECONDS:
            self.told = now
            self._write(self._line(done, now))

    def stop(self, done: float, *, is_complete: bool) -> None:
        seconds = self.clock() - self.began
        if is_complete and seconds >= SHORT_SECONDS:
            count = f"{_whole(done):,} in " if done else ""
            self._write(f"{self.description}: {count}{duration(seconds)}{self._noted()}")

    def _line(self, done: float, now: float) -> str:
        seconds = now - self.began
        if not self.total:
            return f"{self.description}: {_whole(done):,}, {duration(seconds)}{self._noted()}"
        share = f"{_whole(done):,} of {self.total:,} ({done / self.total:.0%})"
        left = self.pace.left(now, self.total)
        about = "" if left is None else f", about {duration(left)} left"
        return f"{self.description}: {share}, {duration(seconds)}{about}{self._noted()}"

    def _noted(self) -> str:
        return f"; {self.note}" if self.note else ""

    def _write(self, line: str) -> None:
        self.stream.write(encodable(line, self.stream) + "\n")
        self.stream.flush()


class _Bar(_Lines):
    """A bar that goes when the work is done. Bars within bars stand below one another."""

    done = 0.0

    def start(self) -> None:
        super().start()
        self.foot = Foot.show(self.stream, self.line)

    def show(self, done: float) -> None:
        self.done = done
        self.pace.mark(self.clock(), done)  # it is drawn at the next tick

    def stop(self, done: float, *, is_complete: bool) -> None:
        self.foot.remove(self.line)
        super().stop(done, is_complete=is_complete)

    def line(self, columns: int) -> str:
        """Return how it looks now: name, bar, count, what is left, and a note."""
        now = self.clock()
        count = f"{_whole(self.done):,}" + (f"/{self.total:,}" if self.total else "")
        left = self.pace.left(now, self.total) if self.total else None
        time_told = duration(now - self.began) if left is None else f"about {duration(left)} left"
        after = "  ".join(filter(None, (count, time_told, self.note)))
        room = min(LONGEST_BAR, columns - width(self.description) - width(after) - 4)
        bar = f"{self._drawn(room)}  " if self.total and room >= SHORTEST_BAR else ""
        return encodable(cut(f"{self.description}  {bar}{after}", columns), self.stream)

    def _drawn(self, room: int) -> str:
        """Return the bar itself, in so many columns."""
        filled, empty = ("━", "─") if encodable("━─", self.stream) == "━─" else ("#", "-")
        full = round(room * min(1.0, self.done / (self.total or 1)))
        return filled * full + empty * (room - full)

    def _write(self, line: str) -> None:
        self.foot.write(self.stream, encodable(line, self.stream) + "\n")


def is_quiet() -> bool:
    """Return whether ``FUNCTORY_QUIET`` asks for results alone."""
    return os.environ.get("FUNCTORY_QUIET", "0") not in ("", "0")


def _whole(done: float) -> int:
    """Return how many steps are done to the end; sums of parts are a hair's breadth off."""
    return int(done + 1e-6)


def _view(description: str, total: int | None, quiet: bool | None, stream: TextIO) -> _Silent:
    """Choose how to show progress."""
    if is_quiet() if quiet is None else quiet:
        return _Silent()
    return (_Bar if is_terminal(stream) else _Lines)(description, total, stream)
