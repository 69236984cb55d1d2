"""Opens the files of an artefact: plain files alone, no more of them than makes sense, and never one that waits.

A pipe or a device in the place of a file would block for ever or never end; a file of gigabytes in the place of a page of
JSON would fill the memory. JSON is read strictly: each name once, numbers that are numbers, text that can be written again.
"""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Any, NoReturn

from functory.errors import ArtefactUnsafe
from functory.machine.boundary import corrupt

PAGE = 64_000_000
"""Bytes of the longest file that describes: a manifest, a report."""
BOOK = 512_000_000
"""Bytes of the longest file that is read whole: a tokenizer, golden examples."""

_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""How half of a surrogate pair is written in JSON; two of them make a character."""


def is_file(path: Path) -> bool:
    """Return whether a plain file is there; no where the system does not let us look, or there can be no such path."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Return whether a folder is there; no where the system does not let us look, or there can be no such path."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def read_bytes(file: Path, most: int = PAGE) -> bytes:
    """Return what a file holds.

    :param most: the most bytes that make sense.
    :raises ArtefactUnsafe: for a pipe, a device or a link in its place.
    :raises ArtefactCorrupt: when it is longer.
    :raises OSError: when the system refuses.
    """
    _check_plain(file, os.lstat(file))
    with open(os.open(file, os.O_RDONLY | _NEVER_WAIT), "rb") as opened:
        about = os.fstat(opened.fileno())
        _check_plain(file, about)
        if about.st_size > most:
            raise corrupt(f"it has {about.st_size:,} bytes; {most:,} are the most that make sense")
        content = opened.read(most + 1)
    if len(content) > most:
        raise corrupt(f"it grows while it is read; {most:,} bytes are the most that make sense")
    return content


def _check_plain(file: Path, about: os.stat_result) -> None:
    if not (stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)):  # of a folder, opening it tells
        raise ArtefactUnsafe(
            f"{file.name} is a link or a special file.",
            where=str(file),
            do="artefacts hold plain files only; get a fresh copy.",
        )


def read_text(file: Path, most: int = BOOK) -> str:
    """Return a file's text; as `read_bytes`.

    :raises UnicodeDecodeError: when it is no UTF-8.
    """
    return read_bytes(file, most).decode("utf-8")


def read_json(file: Path, most: int = PAGE) -> Any:  # Any: JSON
    """Return what a JSON file says; as `read_bytes`, and as `parsed`."""
    return parsed(read_text(file, most))


def parsed(text: str) -> Any:  # Any: JSON
    """Return what a JSON text says, and only where there is one way to understand it.

    :raises ArtefactCorrupt: when it says a name twice, or holds NaN or an infinity.
    :raises ValueError: when it is none, or holds half of a surrogate pair.
    :raises RecursionError: when it is nested too deep.
    """
    found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite)
    if _HALF.search(text):
        json.dumps(found, ensure_ascii=False).encode()  # UnicodeEncodeError is a ValueError
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object each of whose names is there once: readers differ in which of two they take."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise corrupt(f"the name {twice!r} is there twice")
    return made


def _no_number(name: str) -> NoReturn:
    raise corrupt(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise corrupt(f"{text[:40]} is too large")
    return number
