"""Holds a folder for one thread of one process; others see that it is held, by whom, and can wait for it.

The lock is the system's, on a file inside, which it lets go when the process ends, however it ends: what a killed process
held is free. Where the system has no locks, `take` raises its error.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

HELD, WAITING = ".held", ".waiting-"
_here: dict[str, tuple[int, int]] = {}
"""A folder that this process holds → the thread that does, and its lock's handle; some network disks lock processes alone."""
_guard = threading.Lock()


@dataclass(frozen=True)
class Holder:
    """Who holds a folder.

    :param process: its number.
    :param host: the machine that it runs on.
    :param since: seconds since 1970.
    """

    process: int
    host: str
    since: float

    def __str__(self) -> str:
        where = "" if self.host == socket.gethostname() else f" on {self.host}"
        return f"process {self.process}{where}, since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(self.since))}"


class Hold:
    """A folder that is held until `release`."""

    def __init__(self, folder: Path, handle: int) -> None:
        self.folder, self._handle, self._process = folder, handle, os.getpid()
        with suppress(OSError):  # who holds it is but a word to others
            told = {"process": os.getpid(), "host": socket.gethostname(), "since": time.time()}
            with open(handle, "w", encoding="utf-8", closefd=False) as file:
                file.truncate()
                file.write(json.dumps(told))

    def release(self) -> None:
        """Let others have it; a fork that ends leaves its parent's."""
        if self._process != os.getpid():
            return
        with _guard:
            _here.pop(_key(self.folder), None)
            _let_go(self._handle)


def take(folder: Path) -> Hold | None:
    """Hold a folder, made if need be; None where somebody else does.

    :raises OSError: where it cannot be made, or its system has no locks.
    """
    with _guard:
        if _key(folder) in _here:
            return None
        handle = _locked(folder / HELD)
        if handle is None:
            return None
        _here[_key(folder)] = threading.get_ident(), handle
    return Hold(folder, handle)


def holder(folder: Path) -> Holder | None:
    """Return who holds a folder, or held it last; None where that is not told."""
    try:
        told = json.loads((folder / HELD).read_text(encoding="utf-8"))
        return Holder(int(told["process"]), str(told["host"]), float(told["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_held_by_this_thread(folder: Path) -> bool:
    """Whether who asks holds it already, and would wait for itself."""
    with _guard:
        return _here.get(_key(folder), (0, 0))[0] == threading.get_ident()


@contextmanager
def waiting(folder: Path) -> Iterator[None]:
    """Let who holds a folder know that somebody waits for what is in it."""
    mark, handle = folder / f"{WAITING}{uuid4().hex}", None
    with suppress(OSError):  # whoever has no mark still waits
        handle = _locked(mark)
    try:
        yield
    finally:
        with suppress(OSError):
            mark.unlink(missing_ok=True)
        if handle is not None:
            _let_go(handle)


def is_awaited(folder: Path) -> bool:
    """Whether somebody who is alive waits for a folder."""
    return any(_is_alive(mark) for mark in folder.glob(f"{WAITING}*"))


def _is_alive(mark: Path) -> bool:
    try:
        handle = _locked(mark)
    except OSError:
        return False
    if handle is None:
        return True
    mark.unlink(missing_ok=True)
    _let_go(handle)
    return False


def _key(folder: Path) -> str:
    return os.path.realpath(folder)


def _locked(file: Path) -> int | None:
    """Return what holds a file from now on, made if need be; None where somebody else does.

    Who held it before may have removed it in the meantime: a lock on a file that has no name is none.
    """
    while True:
        with suppress(FileNotFoundError):  # the folder went between two calls
            file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                is_ours = _lock(handle)
                if not is_ours or os.path.samestat(os.fstat(handle), file.stat()):
                    break
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)
    if is_ours:
        return handle
    os.close(handle)
    return None


def _let_go(handle: int) -> None:
    with suppress(OSError):
        _unlock(handle)  # a child that was forked meanwhile has it too
    os.close(handle)


def _hold_nothing() -> None:
    """Let go, in a fork, of what its parent holds, which stays the parent's: a lock ends when its last handle is closed."""
    global _guard
    _guard = threading.Lock()  # some other thread may have had it
    for _, handle in _here.values():
        with suppress(OSError):
            os.close(handle)
    _here.clear()


if os.name == "posix":
    import fcntl

    os.register_at_fork(after_in_child=_hold_nothing)

    def _lock(handle: int) -> bool:
        """Lock a file; whether nobody else has it locked."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)

else:
    import msvcrt
    from typing import Any

    FAR = 1 << 20  # beyond what is written: a locked byte cannot be read there
    windows: Any = msvcrt  # without types elsewhere

    def _lock(handle: int) -> bool:
        """Lock a file; whether nobody else has it locked."""
        os.lseek(handle, FAR, os.SEEK_SET)
        try:
            windows.locking(handle, windows.LK_NBLCK, 1)
        except PermissionError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True

    def _unlock(handle: int) -> None:
        os.lseek(handle, FAR, os.SEEK_SET)
        windows.locking(handle, windows.LK_UNLCK, 1)
