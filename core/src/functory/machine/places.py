"""Where functory keeps things on this machine: cache, configuration, data.

Everything in the cache can be made again. Its areas are folders (``weights``, ``features`` …), and its
root carries a CACHEDIR.TAG: backup programs skip it, and `functory cache clear` deletes nowhere else.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

TAG = "CACHEDIR.TAG"
_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"  # fixed by the cache directory tagging standard


def cache_root() -> Path:
    """Return the cache's folder, which need not exist: ``$FUNCTORY_CACHE``, or the system's own place."""
    chosen = os.environ.get("FUNCTORY_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else Path(_platform("cache"))


def cache(area: str, *below: str) -> Path:
    """Return a folder of the cache, made if need be.

    :param area: the first level, which ``functory cache`` lists and clears: ``weights``.
    :param below: folders inside it.
    :raises OSError: where the folder cannot be made.
    """
    root = cache_root()
    if not root.is_dir() or not any(root.iterdir()):  # never tag a folder that holds somebody's files
        root.mkdir(parents=True, exist_ok=True)
        (root / TAG).write_text(f"{_SIGNATURE}\n# functory's cache: everything here can be made again.\n")
    folder = root.joinpath(area, *below)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def prepared(folder: Path) -> Path:
    """Return a folder, made if need be; one that is an area of the cache as `cache` makes it.

    :raises OSError: where it cannot be made.
    """
    if folder.parent == cache_root():
        return cache(folder.name)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def is_writable(folder: Path) -> bool:
    """Return whether a folder can be written, or made, as far as that can be told without trying."""
    there = next((one for one in (folder, *folder.parents) if os.path.lexists(one)), folder)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def is_cache(root: Path) -> bool:
    """Return whether a folder carries the tag that functory puts into its cache."""
    try:
        return (root / TAG).read_text(errors="replace").startswith(_SIGNATURE)
    except OSError:
        return False


def config() -> Path:
    """Return the folder of the user's configuration, which need not exist."""
    return Path(_platform("config"))


def data() -> Path:
    """Return the folder for what the user would miss, which need not exist."""
    return Path(_platform("data"))


def logs() -> Path:
    """Return the folder of what observers write about runs, which need not exist: ``$FUNCTORY_LOGS``, or the system's place.

    Never cleared here: a curve is looked at when its run is long over.
    """
    chosen = os.environ.get("FUNCTORY_LOGS")
    return Path(chosen).expanduser().absolute() if chosen else Path(_platform("state")) / "runs"


def new_log(name: str) -> Path:
    """Return where one run's observers may write; nothing is made yet."""
    of = re.sub(r"[^\w.-]+", "-", name)
    stamp = f"{of}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    folder, number = logs() / stamp, 1
    while os.path.lexists(folder):  # which says no, and does not raise, where it is not to be known
        number += 1
        folder = logs() / f"{stamp}-{number}"
    return folder


def _platform(which: str) -> str:
    """Ask platformdirs, which costs too much for a start that needs no place."""
    import platformdirs

    ask = {
        "cache": platformdirs.user_cache_dir,
        "config": platformdirs.user_config_dir,
        "data": platformdirs.user_data_dir,
        "state": platformdirs.user_state_dir,
    }
    return ask[which]("functory", appauthor=False)
