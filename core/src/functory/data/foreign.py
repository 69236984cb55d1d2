"""What a file is that no reader takes, by its first bytes: an archive, a workbook, a page … and what to do with it."""

from __future__ import annotations

import shlex
from pathlib import Path

from functory.errors import DataError

_EXCEL = "save the sheet as CSV UTF-8; or in Python: pandas.read_excel('FILE'), and give the frame."
_SQLITE = "sqlite3 -header -csv FILE 'select * from TABLE' > data.csv"
_PYTHON = "it holds Python objects, which are never read: write it as CSV, JSON Lines or Parquet where it was made."

_MAGIC = (
    (b"SQLite format 3\0", "is an SQLite database", _SQLITE),
    (b"%PDF-", "is a PDF", "take its text out first: pdftotext FILE."),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Excel or Word file", _EXCEL),
    (b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive", "unpack it, and give the file in it."),
    (b"Rar!", "is a RAR archive", "unpack it, and give the file in it."),
    (b"\x89PNG", "is an image", "give a table."),
    (b"\xff\xd8\xff", "is an image", "give a table."),
    (b"\x93NUMPY", "is a numpy array", "give its rows as dicts, in Python."),
    (b"\x89HDF", "is an HDF5 file", "write it as CSV, JSON Lines or Parquet where it was made."),
    (b"Obj\x01", "is an Avro file", "write it as Parquet or JSON Lines where it was made."),
    (b"version https://git-lfs", "is a pointer of Git LFS, not the data", "fetch the data: git lfs pull."),
)
_PICKLES = tuple(bytes([0x80, version]) for version in (2, 3, 4, 5))
_BY_PLUGINS = ((b"PAR1", "parquet", "a Parquet file"), (b"ARROW1", "arrow", "an Arrow file"))


def foreign(path: Path, head: bytes) -> DataError | None:
    """Return the error that says what a file is, where it is known and no table of text; None otherwise."""
    found = _zip(head) or _named(head) or _page(head)
    if found is None:
        return None
    what, do = found
    do = do.replace("'FILE'", repr(str(path))).replace("FILE", shlex.quote(str(path)))  # as Python and as the shell quote it
    return DataError(f"the file {what}.", where=str(path), do=do)


def brought_by(head: bytes) -> tuple[str, str] | None:
    """Return the reader that would read a file, and what the file is, where a plugin brings that reader."""
    return next(((name, what) for magic, name, what in _BY_PLUGINS if head.startswith(magic)), None)


def _named(head: bytes) -> tuple[str, str] | None:
    if head.startswith(_PICKLES):
        return "is a pickle", _PYTHON
    return next(((what, do) for magic, what, do in _MAGIC if head.startswith(magic)), None)


def _zip(head: bytes) -> tuple[str, str] | None:
    """Tell a workbook from other archives by the names of its first members."""
    if not head.startswith(b"PK\x03\x04"):
        return None
    if b"xl/" in head or b"[Content_Types].xml" in head[:64]:
        return "is an Excel workbook (xlsx)" if b"xl/" in head else "is an Office file (a zip archive)", _EXCEL
    if b"opendocument" in head[:128]:
        return "is an OpenDocument file", "save the sheet as CSV."
    return "is a zip archive", "unpack it, and give the file in it: unzip FILE."


def _page(head: bytes) -> tuple[str, str] | None:
    """Tell a web page (what a download gives where the address was wrong, or asks for a login), XML, and tar archives."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "is a web page, not a table", "open it to see why: the address may be wrong, or ask for a login."
    if head[257:262] == b"ustar":
        return "is a tar archive", "unpack it, and give the file in it: tar xf FILE."
    return ("is XML", "write it as CSV or JSON Lines.") if start.startswith(b"<?xml") else None
