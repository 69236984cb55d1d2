"""The cache is a help, never a need: what cannot be kept there is done without, and that is said once.

stand_in("features")                a temporary folder for what the cache does not take; it goes with the process
write_note("golden", about, value)  a small thing kept under all that decides it
read_note("golden", about)          the same again; None where there is none, or a damaged one
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

from functory.machine import places
from functory.machine.storage import refusal
from functory.machine.unfinished import unfinished

_said: set[str] = set()
_stand_ins: dict[int, Path] = {}  # the process's number → its temporary folder: a fork has one of its own


def stand_in(area: str, *below: str) -> Path:
    """Return a folder of the temporary one that stands in for the cache; it is removed when the process ends.

    :raises OSError: where it cannot be made.
    """
    mine = os.getpid()
    if mine not in _stand_ins:
        _stand_ins[mine] = Path(tempfile.mkdtemp(prefix="functory-"))
        atexit.register(_remove, mine)
    folder = _stand_ins[mine].joinpath(area, *below)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def stand_ins() -> list[Path]:
    """Return this process's temporary folder, where there is one."""
    return [folder for process, folder in _stand_ins.items() if process == os.getpid()]


def go_without(error: OSError, place: Path | None = None) -> None:
    """Say, once for each place of a cache, that it cannot be written and that the work goes on."""
    place = place or places.cache_root()
    found = refusal(error)
    reason = f"{found.what[:1].lower()}{found.what[1:-1]}" if found else str(error)
    note_once(f"the cache at {place} cannot be written: {reason}; going on without.", str(place))


def note_once(text: str, about: str = "") -> None:
    """Say on stderr what a person should know, once in a process.

    :param about: what it is said once of; the text itself where empty.
    """
    if (about or text) not in _said:
        _said.add(about or text)
        note(text)


def note(text: str) -> None:
    """Say on stderr what a person should know."""
    from functory.terminal import tell  # where it is needed: what it draws with costs a start

    tell(f"note: {text}")


def read_note(area: str, about: Any) -> Any:  # Any: JSON
    """Return what was kept under all that decides it; None where nothing was, or where it is damaged."""
    key = _key(about)
    try:
        kept = json.loads((places.cache_root() / area / f"{key[:32]}.json").read_bytes())
        return kept["value"] if kept["sha256"] == _seal(key, kept["value"]) else None
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def write_note(area: str, about: Any, value: Any) -> None:  # Any: JSON
    """Keep a small thing under all that decides it; a cache that cannot be written only costs doing it again."""
    key = _key(about)
    text = json.dumps({"value": value, "sha256": _seal(key, value)})
    try:
        place = places.cache(area) / f"{key[:32]}.json"
        with unfinished(place, is_file=True) as made:
            made.write_text(text, encoding="utf-8")
            made.replace(place)
    except OSError as error:
        go_without(error)


def _key(about: Any) -> str:  # Any: JSON
    return sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def _seal(key: str, value: Any) -> str:  # Any: JSON
    return sha256(f"{key} {json.dumps(value, sort_keys=True)}".encode()).hexdigest()


def _remove(process: int) -> None:
    """Remove a process's temporary folder at its end; a fork that ends leaves its parent's."""
    if process == os.getpid():
        shutil.rmtree(_stand_ins[process], ignore_errors=True)
