"""Reads one file of a distribution's metadata: never waits, never reads without end, and says what was no file.

Apart from `distributions`, because whoever reads what others installed must read it so: a named pipe that lies
in the place of METADATA would hold up every start. Plain system calls, for the scan reads one file of each distribution.
"""
# ruff: noqa: PTH116 - see above

from __future__ import annotations

import os
import stat

ENTRY_POINTS_BYTES = 1_000_000
"""What is read of an ``entry_points.txt``; the largest that are met have some thousand bytes."""
METADATA_BYTES = 4_000_000
"""What is read of a METADATA, which holds the README too."""
SUMMARY_CHARACTERS = 500
"""What is kept of one header."""

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NoFile(OSError):
    """Something lies there that is no file: a folder, a named pipe, a device."""

    def __str__(self) -> str:
        return str(self.args[0])


def read(place: str, most: int) -> tuple[bytes, bool]:
    """Return the first bytes of a file, and whether they are all that it has.

    :param most: how many bytes are read at most.
    :raises FileNotFoundError: nothing is there.
    :raises NoFile: it is no regular file, or nothing can have its name.
    :raises OSError: it cannot be read.
    """
    try:
        _check(os.stat(place))
        file = os.open(place, _FLAGS)
    except ValueError as error:  # a NUL in a name
        raise NoFile(f"no file can have this name ({error})") from None
    try:
        _check(os.fstat(file))  # it may have been exchanged meanwhile
        parts, room = [], most + 1
        while room > 0 and (part := os.read(file, min(room, 65_536))):
            parts.append(part)
            room -= len(part)
    finally:
        os.close(file)
    raw = b"".join(parts)
    return raw[:most], len(raw) <= most


def _check(found: os.stat_result) -> None:
    """Refuse what is no regular file: reading it may wait for ever, or change something.

    :raises NoFile: naming what it is.
    """
    if not stat.S_ISREG(found.st_mode):
        raise NoFile(f"it is {_KINDS.get(stat.S_IFMT(found.st_mode), 'something else')}, and no file")


_headers: dict[tuple[str, str], str] = {}


def read_header(metadata: str, header: str) -> str:
    """Return one header of a distribution's METADATA in one line, or an empty text; what is no UTF-8 is replaced.

    Read once, until `forget_headers`: a distribution may give many components.
    """
    key = (metadata, header)
    if key not in _headers:
        _headers[key] = _header(metadata, header)
    return _headers[key]


def forget_headers() -> None:
    """Read headers anew."""
    _headers.clear()


def _header(metadata: str, header: str) -> str:
    for name in ("METADATA", "PKG-INFO"):
        try:
            raw, _ = read(f"{metadata}/{name}", METADATA_BYTES)
        except OSError:
            continue
        wanted = f"{header}:".encode()
        for line in raw.splitlines():
            if line.startswith(wanted):
                text = line[len(wanted) :][: 4 * SUMMARY_CHARACTERS].decode("utf-8", "replace").strip()
                return text[:SUMMARY_CHARACTERS]
            if not line.strip():  # the description begins: a README may hold such a line too
                break
    return ""
