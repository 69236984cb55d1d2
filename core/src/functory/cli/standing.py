"""Lets the command line stand where stdin, stdout or stderr is closed, full or broken off.

Apart from the errors that verbs raise: here nothing is known of verbs, only that what could not be printed is said, once,
by message and exit code, and that a message which nobody can read costs no work. Outermost, so that it holds for all.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

FAILED = 1
BROKEN_PIPE = 141
"""What a shell gives for a program that SIGPIPE ended: its reader has had enough."""


def standing(work: Callable[[], int]) -> int:
    """Do the work of a command line with streams that can be written to, or say that they cannot.

    :param work: what gives the exit code, and tells its own errors.
    """
    closed = _occupied()
    before = sys.stdout, sys.stderr
    out, err = _Told.over(sys.stdout, 1, closed), _Heedless.over(sys.stderr, 2, closed)
    sys.stdout, sys.stderr = out or sys.stdout, err or sys.stderr
    try:
        return work() if out is None else _done(work, out)
    finally:
        sys.stdout, sys.stderr = before
        for stream, descriptor in ((out, 1), (err, 2)):
            if stream is not None:
                _let_go(stream, descriptor)


def _done(work: Callable[[], int], out: _Told) -> int:
    """Return the exit code of some work once all that it printed is out; 1 where it is not, and nobody told why."""
    try:
        code = work()
        out.flush()
    except BrokenPipeError:
        return BROKEN_PIPE
    except Exception:
        if out.failure is None:
            raise
        print(f"{type(out.failure).__name__}: {out.failure}", file=sys.stderr)
        return FAILED
    return code or (FAILED if out.failure else code)


def _occupied() -> set[int]:
    """Return which of the three first descriptors are closed, once nothing else can get their numbers.

    A file that was opened as number 1 or 2 would get what libraries print there.
    """
    closed = set()
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            closed.add(descriptor)
            taken = os.open(os.devnull, os.O_RDWR)
            if taken == descriptor:
                os.set_inheritable(taken, True)  # what is started from here must not find it closed either
            else:
                os.dup2(taken, descriptor)
                os.close(taken)
    return closed


def _let_go(stream: _Over, descriptor: int) -> None:
    """Give the bytes beneath a stream back to whoever had them; the interpreter must not fail on them at its end."""
    try:
        stream.flush_beneath()
    except (OSError, ValueError):
        with suppress(OSError):
            void = os.open(os.devnull, os.O_WRONLY)
            os.dup2(void, descriptor)
            os.close(void)
        with suppress(OSError, ValueError):
            stream.flush_beneath()
    with suppress(Exception):  # nobody is left to tell
        stream.detach()
    stream.is_given_back = True


class _Closed(io.RawIOBase):
    """What a stream is that was closed before the program began."""

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:  # Any: any buffer
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


class _Over(io.TextIOWrapper):
    """One of the process's own streams, over the same bytes."""

    is_given_back = False
    """Whether the verb is over. What a library kept it for, a handler of its logging, must not fail on it."""

    @classmethod
    def over(cls, stream: Any, descriptor: int, closed: set[int]) -> Any:  # Any: sys.stdout is None where it was closed
        """Return it in the place of a stream; None where something else stands there, as in a notebook or a test."""
        if stream is None and descriptor in closed:
            return cls(io.BufferedWriter(_Closed()), "utf-8", line_buffering=descriptor == 2)
        if type(stream) is not io.TextIOWrapper or _number(stream) != descriptor:
            return None
        with suppress(OSError, ValueError):  # it is told when more is written
            stream.flush()
        return cls(
            stream.buffer, stream.encoding, stream.errors, line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )  # fmt: skip

    def flush_beneath(self) -> None:
        """Flush without any telling.

        :raises OSError: when that is not possible.
        """
        super().flush()


class _Told(_Over):
    """Stdout: that it cannot be written is told once, as an error with a name, unless its reader has had enough."""

    failure: Exception | None = None

    def write(self, text: str) -> int:
        if self.is_given_back:
            with suppress(Exception):  # nobody is left to tell
                return sys.stderr.write(text)
        try:
            return super().write(text)
        except (OSError, ValueError) as error:
            self._fail(error)
        return len(text)

    def flush(self) -> None:
        if self.is_given_back:
            return
        try:
            super().flush()
        except (OSError, ValueError) as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if isinstance(error, UnicodeError):
            raise error
        if self.failure is None:
            self.failure = error if isinstance(error, BrokenPipeError) else _failure(error)
            raise self.failure from (None if self.failure is error else error)


class _Heedless(_Over):
    """Stderr: what cannot be written there is lost, and nothing else is lost for it."""

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            super().flush()


def _failure(error: Exception) -> Exception:
    """Return what is raised where stdout cannot be written."""
    from functory.errors import StorageError
    from functory.machine.storage import refusal

    found = refusal(error)
    meaning = f"{found.what[:1].lower()}{found.what[1:]}" if found else "it is closed."
    return StorageError(
        f"stdout cannot be written: {meaning}",
        do="lead stdout elsewhere. What was to be saved or written to a file is there.",
        errno=found.errno if found else errno.EBADF,
    )


def _number(stream: io.TextIOWrapper) -> int:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return -1
