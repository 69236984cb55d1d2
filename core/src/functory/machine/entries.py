"""Entries of the cache: folders that are there whole or not at all, are checked when they are read, and made again where
they are damaged.

<cache>/features/
  1f0c…/                     an entry
    hidden.npy …             its files
    entry.json               its record: the format, its own name, the size and hash of each file; written last
  .1f0c….functory-….part/    one that somebody is writing, or was when they were killed: nobody reads it
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from functory.machine import configuration, keeping, places, trimming
from functory.machine.contents import content_hash
from functory.machine.folders import sync, sync_folder
from functory.machine.unfinished import unfinished

FORMAT = 1
LARGEST_RECORD = 1 << 20


class Entries:
    """The entries of one area.

    :param area: its folder, which need not exist.
    :param what: what is told of a damaged one: ``features``.
    :param record: the name of each entry's record.
    :param is_synced: written through to the disk before it gets its name. Without, a machine that dies may leave an entry
        of zeros, which is found out and made again: for what is dear to make.
    """

    def __init__(self, area: Path, what: str, record: str = "entry.json", *, is_synced: bool = False) -> None:
        self.area = area
        self.what = what
        self.record = record
        self.is_synced = is_synced

    def hold(self) -> Callable[[], None]:
        """Keep what is used from now on from being dropped for room; return what ends that.

        :raises UsageError: when the user's bound of the cache is no size: before anything is computed for it.
        """
        configuration.cache_limit(self.area.parent)
        return trimming.hold(self.area)

    def find(self, name: str) -> Path | None:
        """Return a whole entry, all of whose bytes were checked; None where there is none.

        A damaged one is told, and is none.
        """
        for place in (*self._elsewhere(name), self.area / name):
            if not os.path.lexists(place):
                continue
            fault = self.fault(place)
            if fault is None:
                with suppress(OSError):  # the last use decides what goes first when room is wanted
                    os.utime(place / self.record)
                return place
            keeping.note(f"the {self.what} in {place} are damaged ({fault}), and are made again.")
        return None

    def make(self, name: str, write: Callable[[Path], None], about: Mapping[str, Any] | None = None) -> Path:
        """Return an entry, made now, in the cache or, where that cannot be written, in a temporary folder.

        Processes may do this at once: each works in a folder of its own, one rename wins, the others take the winner's.

        :param write: writes the files into the folder that it is given; whatever it raises, apart from what the system
            refuses, is passed on, and nothing of it remains.
        :raises OSError: where neither can be written.
        """
        try:
            return self._made(self.area, name, write, about or {})
        except OSError as error:
            keeping.go_without(error, self.area.parent)
        return self._made(keeping.stand_in(self.area.name), name, write, about or {})

    def fault(self, place: Path) -> str | None:
        """Return what is wrong with an entry, having read all of it; None where it is sound."""
        try:
            record = self._read(place)
            if record is None:
                return f"{self.record} is no record of it"
            for file, known in record["files"].items():
                path = place / file
                found = path.lstat()
                if not stat.S_ISREG(found.st_mode):
                    return f"{file} is no file"
                if found.st_size != known["size"] or content_hash(path) != known["sha256"]:
                    return f"{file} is not what was written"
        except FileNotFoundError as error:
            return f"{Path(error.filename or place).name} is missing"
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            return getattr(error, "strerror", None) or f"{self.record} cannot be understood"
        return None

    def is_whole(self, place: Path) -> bool:
        """Say whether an entry has a record and files of its sizes, without reading them."""
        try:
            record = self._read(place)
            files: dict[str, Any] = record["files"] if record is not None else {}
            return bool(files) and all((place / file).lstat().st_size == files[file]["size"] for file in files)
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return False

    def _read(self, place: Path) -> dict[str, Any] | None:  # Any: JSON
        """Return an entry's record; None where it is another's, or of another format."""
        path = place / self.record
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_RECORD:
            return None
        record: dict[str, Any] = json.loads(path.read_bytes())
        is_ours = record.get("format", FORMAT) == FORMAT and record.get("entry", place.name) == place.name
        if not is_ours or not record["files"] or any(Path(file).name != file for file in record["files"]):
            return None
        return record

    def _made(self, area: Path, name: str, write: Callable[[Path], None], about: Mapping[str, Any]) -> Path:
        places.prepared(area)
        with unfinished(area / name) as part:
            write(part)
            size = self._record(part, name, about)
            part.chmod(stat.S_IMODE(area.stat().st_mode))  # as open to others as the cache is
            self._publish(part, area / name)
        if area == self.area and area.name in trimming.IDLE_SECONDS:
            trimming.grown(area.parent, size)
        return area / name

    def _record(self, part: Path, name: str, about: Mapping[str, Any]) -> int:
        """Write the record: what is there, how large, with which hash. Return the bytes of all."""
        paths = sorted(part.iterdir())
        files = {path.name: {"size": path.stat().st_size, "sha256": content_hash(path)} for path in paths}
        text = json.dumps({**about, "format": FORMAT, "entry": name, "files": files}, indent=1)
        (part / self.record).write_text(text, encoding="utf-8")
        if self.is_synced:
            sync(part)
        return len(text) + sum(path.stat().st_size for path in paths)

    def _publish(self, part: Path, place: Path) -> None:
        """Give a finished folder its name; where another process was first, its folder stays, unless it is damaged.

        :raises OSError: where something keeps changing there.
        """
        for turn in range(3):
            try:
                os.rename(part, place)
                if self.is_synced:
                    sync_folder(place.parent)
                return
            except OSError:
                if self.fault(place) is None:
                    return
                if turn == 2:
                    raise
                trimming.drop(place)  # what is in the way goes aside first, so that no reader sees half of it

    def _elsewhere(self, name: str) -> list[Path]:
        """Return where the entry may lie when the cache could not be written."""
        return [base / self.area.name / name for base in keeping.stand_ins()]
