"""How far work is: a bar on a terminal, a plain line now and then elsewhere, nothing when quiet."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TextIO, TypeVar

from functory.terminal.drawing import clean, duration, encodable, is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

T = TypeVar("T")

LINE_SECONDS = 10.0  # at most one line in this time where there is no terminal
SHORT_SECONDS = 1.0  # work that took less leaves no trace
ESTIMATE_FROM = 0.02  # the part that must be done before what is left is guessed: the first step may load a model


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
        self.done = 0
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

    def advance(self, steps: int = 1) -> None:
        """Count steps as done."""
        with self._lock:
            self.done += steps
            self._view.show(self.done)


class _Silent:
    """Shows nothing."""

    def start(self) -> None:
        """The work begins."""

    def show(self, done: int) -> None:
        """So many steps are done."""

    def stop(self, done: int, *, is_complete: bool) -> None:
        """The work is over, or was broken off."""


class _Lines(_Silent):
    """A plain line at most every ten seconds, and one at the end of what took longer than a moment."""

    def __init__(
        self, description: str, total: int | None, stream: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.description, self.total, self.stream, self.clock = clean(description), total, stream, clock
        self.began = self.told = clock()

    def start(self) -> None:
        self.began = self.told = self.clock()

    def show(self, done: int) -> None:
        now = self.clock()
        if now - self.told >= LINE_SECONDS:
            self.told = now
            self._write(self._line(done, now - self.began))

    def stop(self, done: int, *, is_complete: bool) -> None:
        seconds = self.clock() - self.began
        if is_complete and seconds >= SHORT_SECONDS:
            self._write(f"{self.description}: {done:,} in {duration(seconds)}")

    def _line(self, done: int, seconds: float) -> str:
        if not self.total:
            return f"{self.description}: {done:,}, {duration(seconds)}"
        share = f"{done:,} of {self.total:,} ({done / self.total:.0%})"
        is_telling = done >= self.total * ESTIMATE_FROM
        left = f", about {duration(seconds / done * (self.total - done))} left" if is_telling else ""
        return f"{self.description}: {share}, {duration(seconds)}{left}"

    def _write(self, line: str) -> None:
        self.stream.write(encodable(line, self.stream) + "\n")
        self.stream.flush()


class _Bar(_Lines):
    """A bar that goes when the work is done. Bars within bars share one display, which rich demands."""

    _shared: RichProgress | None = None
    _users = 0
    _guard = threading.Lock()

    def start(self) -> None:
        super().start()
        with _Bar._guard:
            if _Bar._shared is None:
                _Bar._shared = _rich_progress(self.stream)
                _Bar._shared.start()
            _Bar._users += 1
            self.display = _Bar._shared
        self.task = self.display.add_task(self.description, total=self.total)

    def show(self, done: int) -> None:
        self.display.update(self.task, completed=done)

    def stop(self, done: int, *, is_complete: bool) -> None:
        self.display.remove_task(self.task)
        with _Bar._guard:
            _Bar._users -= 1
            if not _Bar._users:
                self.display.stop()
                _Bar._shared = None
        super().stop(done, is_complete=is_complete)

    def _write(self, line: str) -> None:
        self.display.console.print(
            encodable(line, self.stream), markup=False, highlight=False, soft_wrap=True
        )


def _view(description: str, total: int | None, quiet: bool | None, stream: TextIO) -> _Silent:
    """Choose how to show progress."""
    if quiet is None:
        quiet = os.environ.get("FUNCTORY_QUIET", "0") not in ("", "0")
    if quiet:
        return _Silent()
    return (_Bar if is_terminal(stream) else _Lines)(description, total, stream)


def _rich_progress(stream: TextIO) -> RichProgress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    name = TextColumn("{task.description}", markup=False)
    console = Console(file=stream, force_terminal=True)
    return Progress(
        name, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console, transient=True
    )
