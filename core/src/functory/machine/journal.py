"""A file that long work is written into as it is done, batch by batch, so that a killed process loses its last batch at most.

A batch is its lines and a mark: ``#`` and a JSON object with how many they are and their checksum. What follows the last batch
that is whole was being written when the process died, or damaged since; it is cut off when the journal is opened again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

SYNC_SECONDS = 5.0
"""What a machine that loses its power may lose besides; a killed process loses none of it."""
MARK = b"#"


class Journal:
    """Lines in batches. Opened again, it knows what was written whole.

    :ivar rows: how many lines there are.
    :ivar notes: what was noted of the batches that were there when it was opened, those without a note aside.
    """

    def __init__(self, path: Path) -> None:
        """Open a journal, or begin one.

        :raises OSError: where it cannot be read or written.
        """
        self.path = path
        self.rows, self.notes = 0, list[dict[str, Any]]()  # Any: JSON
        path.touch()
        good = 0
        with path.open("r+b") as file:
            for good, rows, note in _whole_batches(file):  # noqa: B007 - the last one's end counts
                self.rows += rows
                self.notes += [note] if note else []
            file.truncate(good)
        self._file = path.open("ab")
        self._synced = time.monotonic()

    def add(self, lines: Sequence[str], note: dict[str, Any] | None = None) -> None:
        """Write one more batch.

        :param lines: without their ends; none begins with ``#``.
        :param note: what is to be known of it when the journal is opened again.
        :raises OSError: where it cannot be written.
        """
        content = "".join(f"{line}\n" for line in lines).encode()
        mark = {"rows": len(lines), "sum": crc32(content), **({"note": note} if note else {})}
        self._file.write(content + MARK + json.dumps(mark).encode() + b"\n")
        self._file.flush()
        if time.monotonic() - self._synced > SYNC_SECONDS:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()
        self.rows += len(lines)

    def lines(self) -> Iterator[bytes]:
        """Give each line, from the first."""
        with self.path.open("rb") as file:
            for line in file:
                if not line.startswith(MARK):
                    yield line

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _whole_batches(file: Any) -> Iterator[tuple[int, int, dict[str, Any]]]:  # Any: a binary file, and JSON
    """Give of each batch that is whole where it ends, how many lines it has, and its note; end where one is not."""
    place = rows = checksum = 0
    for line in file:
        place += len(line)
        if not line.startswith(MARK):
            rows, checksum = rows + 1, crc32(line, checksum)
            continue
        try:
            mark = json.loads(line[1:])
            is_whole = line.endswith(b"\n") and (mark["rows"], mark["sum"]) == (rows, checksum)
        except (ValueError, KeyError, TypeError):
            return
        if not is_whole:
            return
        yield place, rows, mark.get("note", {})
        rows = checksum = 0
