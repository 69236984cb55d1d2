"""Keeps the cache within its bound: what was used longest ago goes first, and nothing that a build is using.

The bound is for what grows by itself. Stored features go first, then what interrupted builds left, then logs; converted
weights are not counted, and go only by ``functory cache clear``.
"""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import IO
from uuid import uuid4

from functory.machine import configuration, holding, places
from functory.machine.storage import is_there
from functory.machine.unfinished import DAY, remove, unfinished

IDLE_SECONDS = {"features": 0.0, "runs": 7 * 86400.0, "logs": 7 * 86400.0, "golden": 30 * 86400.0, "forms": 30 * 86400.0}
"""The areas that are bounded, in the order in which they give way → how long a thing must have been left alone before."""
SHARE = 0.9
"""How much of the bound is kept when it is passed, so that not every new thing drops an old one."""

_lock = Lock()
_totals: dict[Path, tuple[int, float]] = {}
"""A cache's root → the bytes of its bounded areas when they were last counted and since, and how many of them since."""
_held: Counter[Path] = Counter()
_marks: dict[Path, IO[str]] = {}


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing in an area of the cache: a folder or a file.

    :param used: when it was used last, in seconds since 1970.
    """

    path: Path
    size: int
    used: float


def kept(area: Path) -> list[Kept]:
    """Return what lies whole in an area, the longest unused first; half-written things and marks are left out."""
    return [one for one in lying(area) if not one.path.name.startswith(".")]


def lying(area: Path) -> list[Kept]:
    """Return all that lies in an area, the longest unused first."""
    return sorted(_each(area), key=lambda one: one.used)


def grown(root: Path, count: int) -> None:
    """Count bytes that were added to a cache, and drop old things where they pass its bound."""
    if not places.is_cache(root):
        return
    limit = configuration.cache_limit(root)
    with _lock:
        total, since = _totals.get(root, (0, math.inf))
        total, since = total + count, since + count
        if since > limit * (1 - SHARE):  # others may have added as much
            total, since = _bounded(root), 0
        _totals[root] = (trim(root, limit), 0) if total > limit else (total, since)


def trim(root: Path, limit: float) -> int:
    """Drop what was used longest ago until a cache is well below its bound; return the bytes that are left."""
    total = _bounded(root)
    aim = limit * SHARE
    for name, idle in IDLE_SECONDS.items():
        if total <= aim:
            break
        before = min(_oldest_use(root / name), time.time() - idle if idle else math.inf)
        for one in kept(root / name):
            if total <= aim or one.used >= before:
                break
            total -= one.size if is_free(one.path) and drop(one.path) else 0
    return total


def drop(path: Path) -> bool:
    """Remove a thing from the cache, in one step for those who read it; say whether that went."""
    try:
        with unfinished(path) as aside:
            path.rename(aside / "dropped")
    except OSError:  # a disk so full that nothing can be put aside, or nothing may be moved
        remove(path)
    return not os.path.lexists(path)


def is_free(path: Path) -> bool:
    """Return whether nobody holds a folder, as a build holds its run's."""
    if not is_there(path / holding.HELD):
        return True
    try:
        held = holding.take(path)
    except OSError:  # no locks here: its age must tell
        return True
    if held is not None:
        held.release()
    return held is not None


def hold(area: Path) -> Callable[[], None]:
    """Keep what is used in an area from now on from being dropped, by this process or another; return what ends that.

    A mark says since when; it is locked for as long as it holds, so that a killed process holds nothing.
    """
    with _lock:
        _held[area] += 1
        if _held[area] == 1:
            with suppress(OSError):  # where no mark can be made, nothing can be dropped either
                places.prepared(area)
                _marks[area] = (area / f".{uuid4().hex}.use").open("w")
                _claim(_marks[area])
    return partial(_let_go, area, os.getpid())


def _let_go(area: Path, process: int) -> None:
    """End a hold; a fork that ends leaves its parent's."""
    if process != os.getpid():
        return
    with _lock:
        _held[area] -= 1
        mark = _marks.pop(area, None) if not _held[area] else None
        if mark is not None:
            with suppress(OSError):
                Path(mark.name).unlink(missing_ok=True)
                mark.close()


def _oldest_use(area: Path) -> float:
    """Return since when the longest of those that hold an area does; marks of killed processes are removed."""
    oldest = math.inf
    with suppress(OSError):
        for place in area.glob(".*.use"):
            with suppress(FileNotFoundError):
                if not _is_left(place):
                    oldest = min(oldest, place.stat().st_mtime)
    return oldest


def _is_left(place: Path) -> bool:
    """Remove the mark of a process that is gone; say whether it was one. Where there are no locks, its age tells."""
    try:
        with place.open("r+") as mark:
            _claim(mark)
            is_left = True
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    except OSError:
        is_left = time.time() - place.stat().st_mtime > DAY
    if is_left:
        try:
            place.unlink(missing_ok=True)
        except OSError:  # open elsewhere, where that is the lock
            return False
    return is_left


def _claim(mark: IO[str]) -> None:
    """Lock a mark for this process. Where the system has no such locks, what is open cannot be removed, which does as well.

    :raises OSError: where somebody else has it, or its file system has no locks.
    """
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _bounded(root: Path) -> int:
    return sum(one.size for name in IDLE_SECONDS for one in _each(root / name))


def _each(area: Path) -> Iterator[Kept]:
    try:
        things = list(area.iterdir())
    except OSError:
        return
    for thing in things:
        found = _measured(thing)
        if found is not None:
            yield found


def _measured(path: Path) -> Kept | None:
    """Return a thing with its bytes and the newest time in it; links are not followed. None where it is gone."""
    try:
        own = path.lstat()
    except OSError:
        return None
    size, used = (0 if path.is_dir() else own.st_size), own.st_mtime
    for base, _, files in os.walk(path):
        for file in files:
            with suppress(OSError):
                found = os.lstat(os.path.join(base, file))
                size, used = size + found.st_size, max(used, found.st_mtime)
    return Kept(path, size, used)
