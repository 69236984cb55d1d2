"""The user's configuration: what holds for every build and every call on this machine.

# config.toml in the configuration folder, or the file that $FUNCTORY_CONFIG names
hooks = ["licence-policy"]
hubs = ["hf"]
cache_limit = "20 GB"
"""

from __future__ import annotations

import math
import os
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

from functory.errors import UsageError
from functory.machine.keeping import note_once
from functory.machine.places import config
from functory.machine.storage import meaning
from functory.machine.written import read_written

KEYS = ("hooks", "hubs", "cache_limit")
CACHE_LIMIT = 10e9
"""The bytes that what grows in the cache may take, where nobody said another number and its disk has ten times as many."""
_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}


def file() -> Path:
    """Return the configuration file, which need not exist."""
    chosen = os.environ.get("FUNCTORY_CONFIG")
    return Path(chosen).expanduser() if chosen else config() / "config.toml"


def hooks() -> tuple[str, ...]:
    """Return the hook plugins that take part in everything, before those that a recipe or a call names.

    :raises UsageError: when the configuration cannot be understood.
    """
    return _names("hooks", "licence-policy")


def hubs() -> tuple[str, ...]:
    """Return the backbones that may fetch, for a saved function that names them, weights that are not on this machine.

    :raises UsageError: when the configuration cannot be understood.
    """
    return _names("hubs", "hf")


def _names(key: str, example: str) -> tuple[str, ...]:
    """Return what stands under a key that takes a list of names."""
    found = _read().get(key, [])
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise UsageError(f"{key} is no list of names.", where=str(file()), do=f'write {key} = ["{example}"].')
    return tuple(found)


def cache_limit(root: Path) -> float:
    """Return how many bytes the features, left runs and logs of a cache may take, infinitely many for ``none``.

    It is what $FUNCTORY_CACHE_LIMIT says, or the configuration, or 10 GB, or a tenth of a disk that is small.

    :raises UsageError: when it is no size.
    """
    chosen = os.environ.get("FUNCTORY_CACHE_LIMIT")
    if chosen:
        return _size(chosen, "$FUNCTORY_CACHE_LIMIT")
    found = _read().get("cache_limit")
    if found is not None:
        return _size(found, str(file()))
    try:
        return min(CACHE_LIMIT, shutil.disk_usage(root).total / 10)
    except OSError:
        return CACHE_LIMIT


def _size(said: object, where: str) -> float:
    """Return a size in bytes that is written as people write it: ``20 GB``, ``500M``, ``none``."""
    text = str(said).strip().lower()
    if text == "none":
        return math.inf
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text)
    if found is None or isinstance(said, bool):
        raise UsageError(
            f"the limit of the cache is no size: {said!r}.", where=where, do="write 20 GB, 500 MB or none."
        )
    return float(found[1]) * _UNITS[found[2]]


def _read() -> dict[str, Any]:
    place = file()
    try:
        text = read_written(place)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        if _is_out_of_reach(place):
            return {}
        raise UsageError(
            f"the configuration cannot be read: {meaning(error)}.", where=str(place), do="mend or remove it."
        ) from None
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"the configuration is no TOML: {error}", where=str(place), do="mend or remove it.") from None
    unknown = [key for key in data if key not in KEYS]
    if unknown:
        raise UsageError(
            f"the configuration has no {unknown[0]!r}.", where=str(place), do=f"its keys: {', '.join(KEYS)}."
        )
    return data


def _is_out_of_reach(place: Path) -> bool:
    """Whether nothing of this user's can lie at a place that nobody named: the home is no folder, or is another user's.

    Services run with a home of /dev/null, and programs with the home of whoever called sudo: neither is a reason to do nothing.
    """
    if os.environ.get("FUNCTORY_CONFIG"):
        return False
    try:
        place.stat()
    except NotADirectoryError:
        return True
    except PermissionError:
        note_once(f"the configuration at {place} is out of reach: access is denied; going on without.")
        return True
    except OSError:
        return False
    return False
