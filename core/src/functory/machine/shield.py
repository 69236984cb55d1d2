"""Keeps one distribution's broken metadata from breaking the libraries that read everybody's.

pydantic (at the first model) and transformers (at import) read the metadata of every installed distribution. They
die of one file that is no UTF-8, of one line that announces nothing, or of one folder without a name, and wait for
ever at a named pipe, whosever it is. `functory doctor` names the distribution that has it; here it stops doing harm.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from functory.machine.metadata import ENTRY_POINTS_BYTES, read

_OTHERS_BYTES = 64_000_000
"""What is read of another file: RECORD names every file of a distribution."""
_HEADERS = ("METADATA", "PKG-INFO", "")
"""Where the name of a distribution is looked for, in this order."""


def shield() -> None:
    """Let importlib.metadata pass over what it cannot read; what it can read, it reads as ever."""
    from importlib.metadata import PathDistribution

    untouched = PathDistribution.read_text
    if getattr(untouched, "is_shielded", False):
        return

    def read_text(self: PathDistribution, filename: str | os.PathLike[str]) -> str | None:
        found: Any = self  # Any: the folder of a distribution is private, and typed from Python 3.13 on alone
        if not isinstance(found._path, Path):  # within an archive
            text = untouched(self, filename)
        else:
            text = _text(str(found._path.joinpath(filename)), str(filename))
        if str(filename) in _HEADERS:
            return _named(text, found._path.name, is_last=not str(filename))
        return _sound_lines(text) if text and str(filename) == "entry_points.txt" else text

    read_text.__doc__ = untouched.__doc__
    read_text.is_shielded = True  # type: ignore[attr-defined]
    PathDistribution.read_text = read_text  # type: ignore[method-assign]


def _text(place: str, filename: str) -> str | None:
    """Return a file's text, with what is no UTF-8 replaced; None where there is none to read."""
    try:
        raw, _ = read(place, ENTRY_POINTS_BYTES if filename == "entry_points.txt" else _OTHERS_BYTES)
    except OSError:
        return None
    return raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")


def _named(text: str | None, folder: str, *, is_last: bool) -> str | None:
    """Return metadata with a name in its headers: the folder's, where it has none of its own."""
    if text is None and not is_last:
        return None
    if re.search(r"^Name:[ \t]*\S", (text or "").partition("\n\n")[0], re.MULTILINE | re.IGNORECASE):
        return text
    name = re.sub(r"[^A-Za-z0-9._]+", "-", folder.rpartition(".")[0].partition("-")[0]).strip("-._")
    return f"Name: {name or 'unknown'}\n{text or ''}"


def _sound_lines(text: str) -> str:
    """Return the lines of an ``entry_points.txt`` that are a group or announce something, and the empty ones."""
    lines = text.splitlines()
    sound = [line for line in lines if _is_sound(line.strip())]
    return text if len(sound) == len(lines) else "\n".join(sound)


def _is_sound(line: str) -> bool:
    return "=" in line or not line or line.startswith("#") or (line.startswith("[") and line.endswith("]"))
