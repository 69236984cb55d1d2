"""Writes the wheel's zip file: the same bytes from the same files, whole or not at all.

Written with the standard library: build back-ends want a project folder on disk, the `wheel` package calls its
own writer private, and neither lets one say how large members that lie elsewhere are stored.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from functory_sdk import file_written_whole
from functory_wheel.names import Names

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every member: the earliest that a zip file can hold."""
CHUNK = 1 << 20


def write(
    target: Path, names: Names, files: Mapping[str, bytes], members: Mapping[str, Path], *, compress: bool
) -> Path:
    """Write a wheel into a folder and return it.

    :param target: made when it is not there; an earlier build of the same name and version is replaced.
    :param files: contents by their path in the wheel.
    :param members: files on disk by their path in the wheel; they are streamed.
    """
    wheel = target / names.file
    with file_written_whole(wheel) as part, ZipFile(part, "w", ZIP_DEFLATED if compress else ZIP_STORED) as zipped:
        _fill(zipped, names, files, members)
    return wheel


def _fill(zipped: ZipFile, names: Names, files: Mapping[str, bytes], members: Mapping[str, Path]) -> None:
    """Add every member in the order of their paths, the wheel's own folder last and RECORD at the very end."""
    record = []
    own = f"{names.information}/"
    for path in sorted({**files, **members}, key=lambda path: (path.startswith(own), path)):
        digest, size = hashlib.sha256(), 0
        length = len(files[path]) if path in files else members[path].stat().st_size
        with zipped.open(_entry(zipped, path, length), "w") as sink:
            for chunk in [files[path]] if path in files else _chunks(members[path]):
                digest.update(chunk)
                size += len(chunk)
                sink.write(chunk)
        code = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
        record.append(f"{path},sha256={code},{size}\n")
    place = f"{own}RECORD"
    record.append(f"{place},,\n")
    text = "".join(record).encode()
    with zipped.open(_entry(zipped, place, len(text)), "w") as sink:
        sink.write(text)


def _entry(zipped: ZipFile, path: str, length: int) -> ZipInfo:
    entry = ZipInfo(path, EPOCH)
    entry.file_size = length  # a member beyond 2 GiB has other headers, which are written before it
    entry.compress_type = zipped.compression
    entry.create_system = 3  # Unix: the modes below count, on whatever system this runs
    entry.external_attr = 0o100644 << 16
    return entry


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
