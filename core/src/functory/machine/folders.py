"""Folders and files that appear whole or not at all, and what is in them: writing, hashing, checking."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from functory.errors import ArtefactUnsafe, StorageError
from functory.machine.boundary import reading
from functory.machine.storage import misplaced, placing
from functory.machine.unfinished import OLD, unfinished
from functory.wording.harmless import in_one_line

ATTEMPTS = 100
"""How often a folder is put into its place while others put theirs there at the same moment."""
_asking = threading.Lock()
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST}


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Give a temporary folder beside `folder`; when the block ends well, sync it and put it in its place.

    An earlier folder stays until the new one is complete, and is then replaced; of several processes that write one
    folder at the same moment, the last one's stands there, whole. A block that raises leaves everything as it was. A
    process that is killed leaves at most a folder whose name begins with a dot, which the next one sweeps. A link to a
    folder stays a link: where it leads to is written.

    :raises UsageError: where the place is none that can be written.
    :raises StorageError: where the system refuses, as a full disk does.
    """
    with _beside(folder) as (place, made):
        yield made
        sync(made)
        made.chmod(0o777 & ~_mask())
        _put(made, place)


@contextmanager
def file_written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary file beside `path`; when the block ends well, sync it and put it in its place, as `written_whole` does.

    :raises UsageError: where the place is none that can be written, or no plain file is in it.
    :raises StorageError: where the system refuses, as a full disk does.
    """
    with _beside(path, is_file=True) as (place, made):
        yield made
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.chmod(0o666 & ~_mask())
        made.replace(place)
        sync_folder(place.parent)


@contextmanager
def _beside(path: Path, *, is_file: bool = False) -> Iterator[tuple[Path, Path]]:
    """Give where a path leads to and something new beside it; folders that were made for it go where the block fails."""
    with ExitStack() as stack:
        try:
            place = leads_to(path)
            if is_file and (place.exists() and not place.is_file()):
                raise IsADirectoryError(errno.EISDIR, "no plain file", str(path))
            stack.enter_context(_made(place.parent))
            made = stack.enter_context(unfinished(place, is_file=is_file))
        except (OSError, ValueError) as error:
            raise misplaced(error, path) from error
        stack.enter_context(placing(path, made))
        yield place, made


def leads_to(path: Path) -> Path:
    """Return the path that a path leads to, absolute and without links.

    :raises OSError: where no file or folder can be there: the name is too long, links lead in a circle, a file is in the way.
    :raises ValueError: for a name with a character that no name has.
    """
    with suppress(FileNotFoundError):
        path.stat()
    place = Path(os.path.realpath(path))
    _check_names(place)
    return place


def nearest(place: Path) -> Path:
    """Return the lowest folder, or file, that is there on the way to a path."""
    return next(one for one in (place, *place.parents) if one.exists())


def _check_names(place: Path) -> None:
    """Raise where a folder on the way is not made yet, so that the system was not asked, and its name cannot be.

    :raises OSError: as the system will, when it is made.
    """
    there = nearest(place)
    if not hasattr(os, "pathconf"):
        return
    try:
        longest, whole = os.pathconf(there, "PC_NAME_MAX"), os.pathconf(there, "PC_PATH_MAX")
    except OSError:  # a file system that does not say
        return
    names = [len(os.fsencode(name)) for name in place.relative_to(there).parts]
    if max(names, default=0) > longest or len(os.fsencode(place)) >= whole:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), str(place))


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder, and those above it; where the block fails, those that were not there go again."""
    lacking = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):  # somebody else uses it by now
            for one in lacking:
                one.rmdir()
        raise


def _put(made: Path, folder: Path) -> None:
    """Rename into place. What was there is exchanged in one step, so that a kill leaves the old or the new.

    Where the system cannot exchange, the old one goes aside first, and comes back if the rename fails.

    :raises StorageError: where others never cease to put theirs there.
    """
    for _ in range(ATTEMPTS):
        if _renamed(made, folder) or _exchange(made, folder) or (folder.exists() and _replaced(made, folder)):
            sync_folder(folder.parent)
            return
    raise StorageError(f"{folder} is being written by others all the time.", do="name a folder of your own.")


def _renamed(made: Path, folder: Path) -> bool:
    """Rename to where nothing is, or an empty folder; say whether that was so."""
    try:
        made.rename(folder)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        return False
    return True


def _replaced(made: Path, folder: Path) -> bool:
    """Rename in the place of what is there, which goes aside first; say whether nobody came between the two steps."""
    with unfinished(folder, ending=OLD) as aside:
        try:
            folder.rename(aside / folder.name)
        except FileNotFoundError:
            return False
        try:
            return _renamed(made, folder)
        except BaseException:
            with suppress(OSError):
                (aside / folder.name).rename(folder)
            raise


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; say whether system and file system can."""
    import ctypes

    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE; on macOS RENAME_SWAP is 2 as well
    if os.name != "posix":
        return False
    libc = ctypes.CDLL(None)
    if hasattr(libc, "renameat2"):
        return bool(libc.renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)
    if hasattr(libc, "renamex_np"):
        return bool(libc.renamex_np(os.fsencode(one), os.fsencode(other), exchange) == 0)
    return False


def sync(folder: Path) -> None:
    """Write every file and folder below through to the disk, readable as the user's other files are."""
    mask = _mask()
    for root, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(root, name)
            with open(path, "rb") as file:
                os.fsync(file.fileno())
            Path(path).chmod(0o666 & ~mask)  # some writers make their files private
        sync_folder(Path(root))


def _mask() -> int:
    """Return the process's file mode mask.

    The system's call to ask for it sets it too: for a moment, what other threads make is open to all, and two that ask
    at once may leave it so. Linux writes it down as well; elsewhere, one asks at a time.
    """
    with suppress(OSError, ValueError, IndexError):
        told = Path("/proc/self/status").read_text().partition("\nUmask:")[2]
        return int(told.split(maxsplit=1)[0], 8)
    with _asking:
        mask = os.umask(0)
        os.umask(mask)
    return mask


def sync_folder(folder: Path) -> None:
    """Write a folder's own entries through to the disk, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """Return a file's hash."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_files(files: Mapping[str, Path], target: Path) -> None:
    """Copy files into a folder, each to its path in it."""
    for path, file in files.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target / path)


def files_of(folder: Path) -> dict[str, Path]:
    """Return every regular file below a folder by its path in it, with forward slashes.

    :raises ArtefactUnsafe: for a link or a special file, which could lead elsewhere.
    :raises ArtefactError: for a folder in it that cannot be looked into: what lies there is not known.
    """
    found: dict[str, Path] = {}
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        with reading(place.relative_to(folder).as_posix() + "/", folder), os.scandir(place) as entries:
            for entry in entries:
                path = place / entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                elif entry.is_file(follow_symlinks=False):
                    found[path.relative_to(folder).as_posix()] = path
                else:
                    raise ArtefactUnsafe(
                        f"{in_one_line(path.relative_to(folder).as_posix())} is a link or a special file.",
                        where=str(folder),
                        do="artefacts hold plain files only; get a fresh copy.",
                    )
    return dict(sorted(found.items()))
