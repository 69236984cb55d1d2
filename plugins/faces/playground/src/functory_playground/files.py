"""The files of the pages: read once, each with its medium and a mark by which a browser knows whether it has it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

MEDIA = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
"""What the files are, by the ends of their names."""
PAGE = "index.html"
"""The one page: its script finds out what to show."""


@dataclass(frozen=True, slots=True)
class File:
    """What a browser gets of a file."""

    content: bytes
    medium: str
    mark: str
    """Changes with the content (RFC 9110, an entity tag)."""


@cache
def every() -> dict[str, File]:
    """Return all files by their names."""
    folder = files(__package__) / "page"
    return {one.name: _read(one.name, one.read_bytes()) for one in folder.iterdir() if _end(one.name) in MEDIA}


def _read(name: str, content: bytes) -> File:
    return File(content, f"{MEDIA[_end(name)]}; charset=utf-8", f'"{hashlib.sha256(content).hexdigest()[:20]}"')


def _end(name: str) -> str:
    return name.rpartition(".")[2]
