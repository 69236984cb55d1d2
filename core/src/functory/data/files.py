"""One file to records: find it, unpack it, decode it, and hand it to the format that its name tells."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from functory.data.records import Records
from functory.errors import DataError

DELIMITERS = {".csv": ",;\t", ".tsv": "\t", ".tab": "\t"}
JSON_LINES = (".jsonl", ".ndjson", ".json")
UNPACKERS = {".gz": gzip.decompress, ".bz2": bz2.decompress}
REMEDY_ENCODING = "save the file as UTF-8 (from GBK: iconv -f GB18030 -t UTF-8 OLD > NEW)."


@dataclass(frozen=True)
class Text:
    """A file's lines, with its encoding faults kept apart, so that one bad byte costs one row.

    :param name: the file's name, as messages show it.
    :param lines: the lines with their ends; a byte that is no UTF-8 stands as a lone surrogate (PEP 383).
    :param bad_bytes: line number (from 1) → where in the file, in bytes from 0, its first bad byte lies.
    """

    name: str
    lines: list[str]
    bad_bytes: dict[int, int]

    def place(self, line: int) -> str:
        """Return a line's place."""
        return f"{self.name}, line {line}"


def read_file(path: Path, columns: Sequence[str] | None = None) -> Records:
    """Read a CSV, TSV or JSON Lines file, packed (.gz, .bz2) or not.

    :param columns: the column names of a CSV or TSV file without header line.
    :raises DataError: for a file that is missing, empty, damaged, of another format or in another encoding.
    """
    from functory.data.delimited import read_delimited
    from functory.data.jsonlines import read_json_lines

    packing, form = _kinds(path)
    text = decode(_bytes(path, packing), path.name)
    if form in DELIMITERS:
        return read_delimited(text, DELIMITERS[form], columns)
    if columns:
        raise DataError(
            "column names are only for files without their own.", where=path.name, do="leave them out."
        )
    return read_json_lines(text)


def decode(content: bytes, name: str) -> Text:
    """Decode a file's bytes as UTF-8, with or without byte order mark, and note each line that is not.

    :raises DataError: when the file is empty, or is UTF-16 by its mark.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError("the file is UTF-16, not UTF-8.", where=name, do=REMEDY_ENCODING)
    mark = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    body = content[mark:]
    if not body.strip():
        raise DataError("the file is empty.", where=name, do="give a file with a header line and examples.")
    if b"\n" not in body:  # the line ends of very old Macs
        body = body.replace(b"\r", b"\n")
    text = body.decode("utf-8", "surrogateescape")
    lines = list(io.StringIO(text, newline="\n"))
    return Text(name, lines, {} if _is_utf8(body) else _find_bad_bytes(body, mark))


def _is_utf8(body: bytes) -> bool:
    """Return whether bytes are UTF-8 throughout."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _find_bad_bytes(body: bytes, start: int) -> dict[int, int]:
    """Return the first bad byte of each line that has one: line number → offset in the file."""
    found = {}
    for number, line in enumerate(io.BytesIO(body), 1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            found[number] = start + error.start
        start += len(line)
    return found


def _kinds(path: Path) -> tuple[str, str]:
    """Return packing and format by the name's endings: ``reviews.csv.gz`` → (".gz", ".csv").

    :raises DataError: when the name tells no format.
    """
    endings = [ending.lower() for ending in path.suffixes]
    packing = endings.pop() if endings and endings[-1] in UNPACKERS else ""
    form = endings[-1] if endings else ""
    if form in DELIMITERS or form in JSON_LINES or path.is_dir() or not path.exists():
        return packing, form
    allowed = ", ".join([*DELIMITERS, *JSON_LINES[:2]])
    raise DataError(
        f"the name {path.name!r} does not tell a format.",
        where=str(path),
        do=f"name it {allowed}, with .gz or .bz2 after it if packed; or give an iterable of dicts.",
    )


def _bytes(path: Path, packing: str) -> bytes:
    """Return a file's content, unpacked.

    :raises DataError: when there is no such file, it cannot be read, or the packing is damaged.
    """
    try:
        content = path.read_bytes()
        return UNPACKERS[packing](content) if packing else content
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}.", do=_near(path)) from error
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder, not a file.", do="give one file of it.") from error
    except (OSError, EOFError, ValueError, zlib.error) as error:
        what = (
            f"it cannot be unpacked: {error}" if packing else f"it cannot be read: {error.__class__.__name__}"
        )
        raise DataError(f"{what}.", where=str(path), do="check the file; fetch it again.") from error


def _near(path: Path) -> str:
    """Suggest files of a similar name beside the missing one."""
    beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, beside, n=2, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(str(path.parent / name) for name in near) + "?"
    return "give the path of a file, or samples:NAME (`functory list --kind samples`)."
