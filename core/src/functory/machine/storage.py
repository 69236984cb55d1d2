"""What the system refuses to read or write, told as what it is: a full disk, denied access, a name that is too long.

Apart from who reads and writes, because every place where a user meets such an error asks here: the command line,
the public functions, and whatever knows the path.
"""

from __future__ import annotations

import errno
import functools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

from functory.errors import FunctoryError, StorageError, UsageError
from functory.wording.told import cut, message_of, safe_text

P = ParamSpec("P")
R = TypeVar("R")

ROOM = "free some space, or name a place on another disk."
YOURS = "name a place that is yours to write."
REFUSALS = {
    errno.ENOSPC: ("no room is left on the disk", ROOM),
    errno.EDQUOT: ("your share of the disk is used up", ROOM),
    errno.EFBIG: ("the file would be larger than its file system, or the limit on files (ulimit -f), allows", ROOM),
    errno.EROFS: ("its file system is read-only", YOURS),
    errno.EACCES: ("access is denied", "look at its permissions, or name a place that is yours."),
    errno.EPERM: ("access is denied", "look at its permissions, or name a place that is yours."),
    errno.ENAMETOOLONG: ("the name is too long", "name a shorter place."),
    errno.ENOTDIR: ("a part of the path is a file, and no folder", "look at the path, or name another."),
    errno.EISDIR: ("it is a folder, and no file", "look at the path, or name another."),
    errno.ELOOP: ("its links lead in a circle", "look at the links, or name another place."),
    errno.ENOENT: ("there is no such file or folder", "look at the path."),
    errno.EEXIST: ("something is there already", "name another place."),
    errno.ENOTEMPTY: ("the folder is not empty", "name another place."),
    errno.EBUSY: ("it is in use", "close what uses it, or name another place."),
    errno.EXDEV: ("it lies on another file system", "name a place on one file system."),
    errno.EMFILE: ("this process has too many open files", "allow more: ulimit -n 4096."),
    errno.ENFILE: ("this machine has too many open files", "close other programs."),
    errno.EIO: ("the device failed", "look at the disk, and at the system's log; what it holds may be damaged."),
    errno.ESTALE: ("it is gone from its network disk", "mount the disk again, and try again."),
    errno.EBADF: ("it is closed", "leave it open, or redirect it."),
    errno.ENOMEM: ("there is too little memory", "close other programs, or do less at once."),
}
"""What each of the system's numbers means to a user, and what can be done."""
MISPLACED = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
"""The refusals that are the place's: whoever named it named a wrong one."""
SPENT = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO, errno.ENOMEM, errno.ESTALE}
"""The refusals that are the machine's, whoever meets them."""
UNKNOWN = 1 << 12
"""No system has so many numbers."""
_NUMBERED = re.compile(r"\(os error (\d{1,4})\)")
_SHORT = re.compile(r"^\d+ requested and \d+ written$")


def number_of(error: BaseException) -> int:
    """Return the system's number of an error, or 0 where it is none about files.

    It is an OSError's own, or what a library says: numpy tells no more of a full disk than how much it wrote; libraries in
    Rust end with ``(os error 28)``.
    """
    number, filename = (_own(error, name) for name in ("errno", "filename"))
    if number is not None:
        if not isinstance(number, int) or isinstance(error, ConnectionError | TimeoutError):
            return 0
        return number if number in REFUSALS or (0 < number < UNKNOWN and filename is not None) else 0
    told = safe_text(error)
    found = _NUMBERED.search(told)
    if found:
        return int(found[1])
    if _SHORT.match(told):
        return errno.ENOSPC
    if isinstance(error, RuntimeError) and told.startswith("Symlink loop"):  # Path.resolve, up to Python 3.12
        return errno.ELOOP
    spelled = (number for number in REFUSALS if number != errno.ENOENT and os.strerror(number) in told)
    return next(spelled, 0) if isinstance(error, OSError) else 0


def refusal(error: BaseException, path: Path | str = "", *, doing: str = "") -> StorageError | None:
    """Return what the system refused, as an error that says path and remedy; None where it is no such error.

    :param path: what was read or written, where the error does not say.
    :param doing: what could not be done, when it is not clear from the call: ``the checkpoint cannot be written``.
    """
    number = number_of(error)
    if not number:
        return None
    named = [os.fsdecode(one) for one in (_own(error, "filename"), _own(error, "filename2")) if isinstance(one, str | bytes)]
    meaning, remedy = REFUSALS.get(number, (_spelled(number), "look at the place, or name another."))
    remedy = " ".join([remedy, *map(safe_text, getattr(error, "__notes__", ()))])
    said = _own(error, "strerror")
    if not named and isinstance(said, str) and said not in ("", os.strerror(number)):
        meaning += f" ({cut(said.rstrip('.'))})"  # whoever raised it says more than the system
    where = " → ".join(named) or str(path)
    what = f"{doing}: {meaning}." if doing else f"{meaning[:1].upper()}{meaning[1:]}."
    return StorageError(what, where=where, do=remedy, errno=number)


def _own(error: BaseException, name: str) -> object:
    """Return what the system put into an error, whatever its class makes of it; None where it is none of the system's."""
    return vars(OSError)[name].__get__(error) if isinstance(error, OSError) else None


def meaning(error: BaseException) -> str:
    """Return what an error of reading says, within a sentence: what the system refused, or its own message."""
    number = number_of(error)
    return REFUSALS[number][0] if number in REFUSALS else message_of(error)


def is_there(path: Path) -> bool:
    """Return whether something lies at a path; a name that cannot be, or leads nowhere, is none."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises where the name is too long


def is_folder(path: Path) -> bool:
    """Return whether a folder lies at a path; a name that cannot be, or leads nowhere, is none."""
    return os.path.isdir(path)  # noqa: PTH112 - as above


def _spelled(number: int) -> str:
    spelled = os.strerror(number)
    return f"the system says: {spelled[:1].lower()}{spelled[1:]}"


def misplaced(error: Exception, path: Path) -> FunctoryError:
    """Return the error for a place that was named to be written: the call's fault where the place is wrong."""
    found = refusal(error, path)
    if found is None:
        return UsageError(f"{path} cannot be written: {error}.", do="name another place.")
    what = f"{path} cannot be written: {found.what[:1].lower()}{found.what[1:]}"
    beyond = "" if found.where == str(path) else found.where
    if found.errno in MISPLACED:
        return UsageError(what, where=beyond, do=found.do)
    return StorageError(what, where=beyond, do=found.do, errno=found.errno)


@contextmanager
def placing(path: Path, made: Path) -> Iterator[None]:
    """Let what the system refuses while something is made be told of the path that it is made for.

    :param made: where it is made, which nobody knows outside.
    :raises StorageError: for an error of the system's.
    """
    try:
        yield
    except FunctoryError:
        raise
    except Exception as error:
        found = refusal(error, path)
        if found is None:
            raise
        what = f"{path} cannot be written: {found.what[:1].lower()}{found.what[1:]}"
        where = "" if found.where == str(path) else found.where.replace(str(made), str(path))
        raise StorageError(what, where=where, do=found.do, errno=found.errno) from error


@contextmanager
def telling(path: Path | str = "", *, doing: str = "") -> Iterator[None]:
    """Let what the system refuses within leave as a `StorageError`.

    :param path: as in `refusal`.
    :param doing: as in `refusal`.
    :raises StorageError: for an error of the system's.
    """
    try:
        yield
    except FunctoryError:
        raise
    except Exception as error:
        found = refusal(error, path, doing=doing)
        if found is None:
            raise
        raise found from error


def refusals_told(work: Callable[P, R]) -> Callable[P, R]:
    """Let what the system refuses leave a public function as a `StorageError`."""

    @functools.wraps(work)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        with telling():
            return work(*args, **kwargs)

    return guarded
