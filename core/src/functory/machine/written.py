"""Files that people write by hand: UTF-8 with or without a byte order mark, as editors save it, or what their mark says."""

from __future__ import annotations

from pathlib import Path

MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
"""Byte order marks, longest first."""


def read_written(path: Path) -> str:
    """Return a file's text, without its mark.

    :raises OSError: when it cannot be read.
    :raises UnicodeDecodeError: when it is not what its mark says, or no UTF-8 where it has none.
    """
    data = path.read_bytes()
    return data.decode(next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")).replace("\r\n", "\n")
