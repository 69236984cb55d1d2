"""The user's configuration: what holds for every build and every call on this machine.

# config.toml in the configuration folder, or the file that $FUNCTORY_CONFIG names
hooks = ["licence-policy"]
hubs = ["hf"]
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from functory.errors import UsageError
from functory.machine.places import config

KEYS = ("hooks", "hubs")


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


def _read() -> dict[str, Any]:
    place = file()
    try:
        text = place.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the configuration cannot be read: {error}", where=str(place), do="mend or remove it.") from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the configuration is no TOML: {error}", where=str(place), do="mend or remove it.") from None
    unknown = [key for key in data if key not in KEYS]
    if unknown:
        raise UsageError(
            f"the configuration has no {unknown[0]!r}.", where=str(place), do=f"its keys: {', '.join(KEYS)}."
        )
    return data
