"""The user's configuration: what holds for every build and every call on this machine.

# config.toml in the configuration folder, or the file that $FUNCTORY_CONFIG names
hooks = ["licence-policy"]
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from functory.errors import UsageError
from functory.machine.places import config

KEYS = ("hooks",)


def file() -> Path:
    """Return the configuration file, which need not exist."""
    chosen = os.environ.get("FUNCTORY_CONFIG")
    return Path(chosen).expanduser() if chosen else config() / "config.toml"


def hooks() -> tuple[str, ...]:
    """Return the hook plugins that take part in everything, before those that a recipe or a call names.

    :raises UsageError: when the configuration cannot be understood.
    """
    found = _read().get("hooks", [])
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise UsageError("hooks is no list of names.", where=str(file()), do='write hooks = ["licence-policy"].')
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
