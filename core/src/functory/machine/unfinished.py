"""Folders and files under way: they lie beside what they become, are held while somebody writes, and swept when nobody does.

Whoever makes one holds a lock on it that the system lets go when the process ends, however it ends. So what a killed
process left is told from what a live one is writing, and the next who writes beside it removes it. A lock tells
nothing of processes under another kernel (a network disk, an earlier start of this machine): what carries another
kernel's mark, or cannot be locked, goes when it was not touched for a day.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

DAY = 86_400.0
"""Seconds for which nobody touched what is taken to be left, where no lock tells."""
PART, OLD = ".part", ".old"
"""The endings of what becomes something, and of what was something and stands aside while it is replaced."""
LONGEST = 40
"""Bytes of the name that it becomes: the whole must not be too long where that one is not."""
_NAME = re.compile(r"\..*\.functory-([0-9a-f]{8})-[a-z0-9_]{8}\.(?:part|old)")


@contextmanager
def unfinished(target: Path, *, ending: str = PART, is_file: bool = False) -> Iterator[Path]:
    """Give an empty folder, or file, beside `target`, held until the block ends; what lies there then is removed.

    What killed processes left beside it is swept first.

    :raises OSError: where nothing can be made.
    """
    sweep(target.parent)
    path, handle = _claimed(target, ending, is_file)
    try:
        yield path
    finally:
        remove(path)
        if handle is not None:
            os.close(handle)


def _claimed(target: Path, ending: str, is_file: bool) -> tuple[Path, int | None]:
    """Return something new, and what holds it: None where the system holds nothing."""
    short = target.name.encode("utf-8", "surrogateescape")[:LONGEST].decode("utf-8", "ignore")
    begins = f".{short}.functory-{_kernel()}-"
    while True:
        path = _new(target.parent, begins, ending, is_file)
        with suppress(FileNotFoundError, BlockingIOError):  # somebody swept it, or sweeps it now
            handle = _locked(path)
            if handle is None or _is_still(path, handle):
                return path, handle
            os.close(handle)


def _new(folder: Path, begins: str, ending: str, is_file: bool) -> Path:
    """Return a new empty file or folder that nobody else has."""
    if not is_file:
        return Path(tempfile.mkdtemp(ending, begins, folder))
    handle, name = tempfile.mkstemp(ending, begins, folder)
    os.close(handle)
    return Path(name)


def _locked(path: Path) -> int | None:
    """Return what holds a path from now on; None where the system cannot.

    :raises BlockingIOError: when somebody else holds it.
    :raises FileNotFoundError: when it is gone.
    """
    try:
        import fcntl
    except ImportError:
        return None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # nobody waits for a pipe's other end
    except FileNotFoundError:
        raise
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise
    except OSError:  # a file system without locks
        os.close(handle)
        return None
    return handle


def _is_still(path: Path, handle: int) -> bool:
    """Return whether what is held still lies at its path."""
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except OSError:
        return False


@functools.cache
def _kernel() -> str:
    """Return the mark of the running kernel: locks tell of every process under it, and of no other."""
    try:
        told = Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        import platform

        told = platform.node()
    return sha256(told.encode()).hexdigest()[:8]


def sweep(folder: Path) -> None:
    """Remove what processes that are gone left unfinished in a folder; what stood aside comes back where its place is empty."""
    with suppress(OSError):
        for path in list(folder.iterdir()):
            found = _NAME.fullmatch(path.name)
            if found:
                _sweep(path, is_ours=found[1] == _kernel())


def _sweep(path: Path, *, is_ours: bool) -> None:
    """Remove one thing, if nobody can be at it any more."""
    handle = None
    try:
        if is_ours:
            handle = _locked(path)
        if handle is None and time.time() - _touched(path) < DAY:
            return
        if path.name.endswith(OLD):
            _put_back(path)
        remove(path)
    except OSError:  # held, gone, or not ours to touch
        return
    finally:
        if handle is not None:
            os.close(handle)


def _touched(path: Path) -> float:
    """Return when a folder, or anything in it, was changed last, in seconds."""
    found = [path, *(Path(root, name) for root, folders, files in os.walk(path) for name in [*folders, *files])]
    return max(one.lstat().st_mtime for one in found)


def _put_back(aside: Path) -> None:
    """Put what stands aside back into its place, where that is empty: whoever replaced it died between the two steps."""
    for one in aside.iterdir():
        place = aside.parent / one.name
        if not place.exists():
            one.rename(place)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, read-only folders too; nothing is said of what stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        if path.exists():
            for root, folders, _ in os.walk(path):
                for name in ["", *folders]:
                    with suppress(OSError):
                        Path(root, name).chmod(0o700)
            shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
