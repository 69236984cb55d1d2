"""Folders and files that appear whole or not at all, and what is in them: writing, hashing, checking."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from functory.errors import ArtefactUnsafe
from functory.machine.storage import misplaced


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Give a temporary folder beside `folder`; when the block ends well, sync it and put it in its place.

    An earlier folder stays until the new one is complete, and is then replaced. A block that raises leaves
    everything as it was. A process that is killed leaves at most a folder whose name begins with a dot.

    :raises UsageError: where nothing can be written.
    """
    folder = folder.absolute()
    with _told(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        yield made
        sync(made)
        made.chmod(0o777 & ~_mask())
        _put(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def file_written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary file beside `path`; when the block ends well, sync it and put it in its place, as `written_whole` does.

    :raises UsageError: where nothing can be written, or a folder is in its place.
    """
    path = path.absolute()
    with _told(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    made = Path(name)
    try:
        yield made
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.chmod(0o666 & ~_mask())
        made.replace(path)
        sync_folder(path.parent)
    finally:
        made.unlink(missing_ok=True)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say that a place cannot be written, as the user's own matter."""
    try:
        yield
    except OSError as error:
        raise misplaced(error, path) from error


def _put(made: Path, folder: Path) -> None:
    """Rename into place. What was there is exchanged in one step, so that a kill leaves the old or the new.

    Where the system cannot exchange, the old one goes aside first, and comes back if the rename fails.
    """
    if not folder.exists():
        made.rename(folder)
        sync_folder(folder.parent)
        return
    if _exchange(made, folder):
        sync_folder(folder.parent)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".old", dir=folder.parent))
    folder.rename(aside / "old")
    try:
        made.rename(folder)
    except BaseException:
        (aside / "old").rename(folder)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    sync_folder(folder.parent)


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
    """Return the process's file mode mask."""
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
    """
    found: dict[str, Path] = {}
    for root, folders, names in os.walk(folder):
        for name in [*names, *folders]:
            path = Path(root, name)
            mode = path.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise ArtefactUnsafe(
                    f"{path.relative_to(folder).as_posix()} is a link or a special file.",
                    where=str(folder),
                    do="artefacts hold plain files only; get a fresh copy.",
                )
            if stat.S_ISREG(mode):
                found[path.relative_to(folder).as_posix()] = path
    return dict(sorted(found.items()))
