"""Keeps what long work made where it cannot be written to its place: in the user's data folder, or in the temporary one."""

from __future__ import annotations

import itertools
import os
import re
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from shlex import quote

from functory.machine import places
from functory.machine.folders import written_whole


def rescued(
    what: str,
    name: str,
    write: Callable[[Path], object],
    whole: Callable[[Path], AbstractContextManager[Path]] = written_whole,
) -> str:
    """Write something to the first place that takes it, and return what is to be said of that.

    :param what: what it is: ``the function``.
    :param name: its file's or folder's name, to which the time is added.
    :param write: writes it to a path.
    :param whole: how a path is written whole: as a folder, or as a file.
    """
    plain = Path(re.sub(r"[^\w.-]+", "-", name)[-60:])
    begins = f"{plain.stem}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    for place in (places.data, _temporary):
        try:
            target = _free(place() / "kept", begins, plain.suffix)
            with whole(target) as made:
                write(made)
        except Exception:  # whatever is wrong there, the next place may do
            continue
        return f"{what[:1].upper()}{what[1:]} is kept in {quote(str(target))}: move it to where it belongs."
    return f"{what[:1].upper()}{what[1:]} could not be kept in any other place."


def _free(folder: Path, begins: str, suffix: str) -> Path:
    """Return a path that nothing lies at."""
    names = (f"{begins}{f'-{number}' if number else ''}{suffix}" for number in itertools.count())
    return next(folder / name for name in names if not (folder / name).exists())


def _temporary() -> Path:
    return Path(tempfile.gettempdir()) / "functory"
