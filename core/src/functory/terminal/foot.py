"""Bars at the foot of a terminal, for which nobody's output is lost.

A display that puts itself in the place of stdout takes what was meant for a file or a pipe. This one touches a stream
only where it leads to the bars' own terminal, and then writes all of it to where it was going: the bars are lifted,
the text is written, the bars are put below it. While a line is unfinished there are none.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO, cast

from functory.terminal.streams import Over, raw

TICK_SECONDS = 0.2
LIFT, UP = "\r\x1b[2K", "\x1b[1A\x1b[2K"

Line = Callable[[int], str]
"""A bar: the columns that it has → what it looks like now."""


class Foot:
    """The bars on one terminal, the newest lowest. From any thread."""

    _all: dict[int, Foot] = {}  # by the stream's id
    _lock = threading.RLock()  # one for all: a bar that comes must not meet a foot that goes

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._bars: list[Line] = []
        self._drawn = 0  # lines
        self._is_open = False  # an unfinished line of somebody else stands where the bars would
        self._over = threading.Event()

    @classmethod
    def show(cls, stream: TextIO, bar: Line) -> Foot:
        """Show a bar on the terminal that a stream leads to; return its foot."""
        beneath = raw(stream.beneath if isinstance(stream, _Above) else stream)
        with cls._lock:
            foot = cls._all.setdefault(id(beneath), cls(beneath))
            foot._bars.append(bar)
            if len(foot._bars) == 1:
                foot._begin()
            foot.draw()
        return foot

    def remove(self, bar: Line) -> None:
        """Take a bar away."""
        with self._lock:
            self._bars.remove(bar)
            self.draw()
            if not self._bars:
                self._end()

    def draw(self) -> None:
        """Draw the bars as they are now, in the place where they were."""
        with self._lock, suppress(OSError, ValueError):  # a terminal that was closed
            self.stream.write(self._lifted() + self._put())
            self.stream.flush()

    def write(self, stream: TextIO, text: str) -> int:
        """Write somebody's text to a stream of this terminal, above the bars."""
        with self._lock:
            if not self._bars or not text:
                return stream.write(text)
            with suppress(OSError, ValueError):
                self.stream.write(self._lifted())
                self.stream.flush()
            count = stream.write(text)
            stream.flush()
            self._is_open = not text.endswith("\n")
            self.draw()
            return count

    def _lifted(self) -> str:
        """Return what clears the bars away."""
        lines, self._drawn = self._drawn, 0
        return LIFT + UP * (lines - 1) if lines else ""

    def _put(self) -> str:
        """Return what shows the bars below what was written last."""
        if self._is_open or not self._bars:
            return ""
        columns = _columns(self.stream) - 1  # the last one would begin a new line
        self._drawn = len(self._bars)
        return "\n".join(bar(columns) for bar in self._bars)

    def _begin(self) -> None:
        """Let others' lines pass above, and keep the clocks going."""
        self._is_open = False
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            beneath = stream.beneath if isinstance(stream, _Above) else stream
            if beneath is not None and _is_same_terminal(raw(beneath), self.stream):
                setattr(sys, name, _Above(beneath, self))
        self._over = threading.Event()
        threading.Thread(target=self._tick, args=(self._over,), daemon=True, name="functory bars").start()

    def _tick(self, over: threading.Event) -> None:
        while not over.wait(TICK_SECONDS):
            with self._lock:
                if not over.is_set():
                    self.draw()

    def _end(self) -> None:
        """Give the streams back, where nobody else has taken them."""
        self._over.set()
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if isinstance(stream, _Above) and stream.foot is self:
                setattr(sys, name, stream.beneath)
        Foot._all.pop(id(self.stream), None)


class _Above(Over):
    """A stream of a terminal whose text is written above the bars. Where there are none, it is the stream."""

    def __init__(self, beneath: TextIO, foot: Foot) -> None:
        super().__init__(beneath)
        self.foot = foot

    def write(self, text: str) -> int:
        return self.foot.write(self.beneath, text)


def styled(stream: TextIO) -> TextIO:
    """Return where colours are written to a stream's terminal: above the bars, and past what keeps others' text harmless."""
    if isinstance(stream, _Above):
        return cast(TextIO, _Above(raw(stream.beneath), stream.foot))
    return raw(stream)


def _is_same_terminal(one: TextIO | None, other: TextIO) -> bool:
    """Return whether two streams lead to one terminal."""
    if one is None or one is other:
        return one is other
    try:
        return os.ttyname(one.fileno()) == os.ttyname(other.fileno())
    except (OSError, ValueError, AttributeError):  # no terminal, closed, or not of this system
        return False


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):  # no file beneath it
        return shutil.get_terminal_size().columns
