"""Whether something can be written to a place that was named, asked before the work that it is for.

A verb that trains for an hour must not find out at its end. Each question is answered by doing what will be done: links
are followed, something is made beside the place and removed. What changes later is met where it is written.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path
from shlex import quote

from functory.errors import StorageError, UsageError
from functory.machine.folders import leads_to
from functory.machine.storage import ROOM, misplaced
from functory.machine.unfinished import unfinished

LEAST = 16 << 10
"""Bytes without which nothing is worth beginning."""


def replaceable_folder(folder: Path, need: int = LEAST) -> Path:
    """Return where a folder can be written whole, in the place of an earlier one; links are followed.

    :param need: bytes that will be written, as far as is known.
    :raises UsageError: when it is a file, the working directory or one above it, a mount, or not the user's to write.
    :raises StorageError: when the disk is full, or too full.
    """
    place = _led(folder)
    if place.exists() and not place.is_dir():
        raise UsageError(f"{folder} cannot be written: it is a file, and no folder.", do="name a folder.")
    if _holds_us(place):
        inside = quote(str(folder / "function"))
        raise UsageError(
            f"{folder} cannot be written: it is the working directory, or holds it.",
            do=f"name a folder in it, such as {inside}, or go elsewhere first.",
        )
    if place.is_mount():
        raise UsageError(
            f"{folder} cannot be written: a disk is mounted there, and would have to be replaced.",
            do=f"name a folder in it: {quote(str(folder / 'function'))}.",
        )
    if place.exists():
        _check_own(place, folder, os.W_OK | os.X_OK)
    _check_room(place, folder, need)
    return place


def replaceable_file(path: Path, need: int = LEAST) -> Path:
    """Return where a file can be written whole, in the place of an earlier one; links are followed.

    :param need: bytes that will be written, as far as is known.
    :raises UsageError: when it is a folder, a device or a pipe, or not the user's to write.
    :raises StorageError: when the disk is full, or too full.
    """
    place = _led(path)
    if place.is_dir():
        raise UsageError(f"{path} cannot be written: it is a folder, and no file.", do="name a file.")
    if place.exists() and not place.is_file():
        raise UsageError(f"{path} cannot be written: it is a device or a pipe, and no file.", do="name a file.")
    if place.exists():
        _check_own(place, path, 0)
    _check_room(place, path, need)
    return place


def fillable_folder(folder: Path, need: int = LEAST) -> Path:
    """Return a folder that files can be written into, made or not yet; links are followed.

    :param need: bytes that will be written, as far as is known.
    :raises UsageError: when it is a file, or not the user's to write.
    :raises StorageError: when the disk is full, or too full.
    """
    place = _led(folder)
    if place.exists() and not place.is_dir():
        raise UsageError(f"{folder} cannot be written: it is a file, and no folder.", do="name a folder.")
    _check_room(place / "file", folder, need)
    return place


def _holds_us(place: Path) -> bool:
    """Return whether a folder is the working directory, or one above it."""
    try:
        here = Path(os.path.realpath(Path.cwd()))
    except OSError:  # it was removed
        return False
    return place == here or place in here.parents


def _led(path: Path) -> Path:
    """Return where a path leads to.

    :raises UsageError: where nothing can be there.
    """
    try:
        return leads_to(path)
    except (OSError, ValueError) as error:
        raise misplaced(error, path) from error


def _check_own(place: Path, named: Path, access: int) -> None:
    """Refuse what may not be moved out of its place: what is not to be written, or is another's in a folder for all.

    :raises UsageError: saying so.
    """
    above, own = place.parent.stat(), place.stat()
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    is_kept = bool(above.st_mode & stat.S_ISVTX) and user not in (0, own.st_uid, above.st_uid)
    if is_kept or not _may(place, access):
        raise misplaced(PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(named)), named)


def _may(place: Path, access: int) -> bool:
    return os.access(place, access, effective_ids=os.access in os.supports_effective_ids)


def _check_room(place: Path, named: Path, need: int) -> None:
    """Make something beside a place, or beside the first folder on the way that is not there, and remove it.

    :raises UsageError: when that cannot be done.
    :raises StorageError: when there is not enough room.
    """
    lacking = next((one for one in (*reversed(place.parents), place) if not one.exists()), place)
    try:
        with unfinished(lacking):
            free = _free(lacking.parent)
    except OSError as error:
        raise misplaced(error, named) from error
    if free is not None and free < need:
        raise StorageError(
            f"{named} cannot be written: it needs some {_size(need)}, and {_size(free)} are free on its disk.",
            do=ROOM, errno=errno.ENOSPC,
        )  # fmt: skip


def _free(folder: Path) -> int | None:
    """Return the bytes that a user may still write; None where the file system does not say."""
    found = shutil.disk_usage(folder)
    return found.free if found.total else None


def _size(count: int) -> str:
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


def link_note(named: Path) -> str:
    """Return what is to be said of a place that is a link; nothing where it is none."""
    return f" (a link to {os.path.realpath(named)})" if named.is_symlink() else ""
