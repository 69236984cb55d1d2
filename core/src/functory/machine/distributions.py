"""What the installed distributions say that they contribute, read from their metadata alone.

Apart from `plugins`, because nothing here imports anybody's code. It finds the files itself, in plain system
calls: importlib.metadata takes 30 ms to import, waits for ever at a named pipe, and pathlib doubles the time of the scan.
"""
# ruff: noqa: PTH100, PTH112, PTH114, PTH119, PTH120, PTH121, PTH208 - see above

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from functory.machine.announced import CONTRACT as CONTRACT
from functory.machine.announced import GROUPS as GROUPS
from functory.machine.announced import PREFIX, consists_of, read_entries, reinstall, shown, unreadable
from functory.machine.announced import Entry as Entry
from functory.machine.announced import Fault as Fault
from functory.machine.metadata import ENTRY_POINTS_BYTES, METADATA_BYTES, forget_headers, read
from functory.machine.metadata import read_header as read_header
from functory.machine.own import COMPONENTS, VERSION

CORE = "functory"
"""The distribution of the running code. What it gives stands in `own`: no metadata can take a verb away, or add one."""

_RUNNING = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution that lies on the path."""

    name: str
    """Normalised."""
    version: str
    metadata: str
    """The folder of its metadata."""


def scan(path: Sequence[str]) -> tuple[list[Entry], list[Fault]]:
    """Read what every distribution on a path contributes to functory, besides what the core itself does.

    :param path: folders in the order of `sys.path`; the first distribution of a name hides later ones, as it
        does for imports. Archives are not read.
    :return: entries, sorted by kind and name, and faults.
    """
    found, faults = _installed(path)
    entries = _core(found.pop(CORE, []), faults)
    for same in found.values():
        first, *hidden = same
        given, wrong = _read(first)
        entries += given
        faults += wrong
        for one in hidden:
            faults += _hidden(first, one, given)
    order = {kind: position for position, kind in enumerate(GROUPS)}
    entries.sort(key=lambda entry: (order[entry.kind], entry.name, entry.distribution))
    return entries, faults


_scans: dict[tuple[str, ...], tuple[list[Entry], list[Fault]]] = {}
_places: dict[tuple[str, ...], dict[str, list[Installed]]] = {}


def scanned() -> tuple[list[Entry], list[Fault]]:
    """Return the scan of the present `sys.path`, made once; `forget` makes the next one anew."""
    key = _path()
    if key not in _scans:
        _scans[key] = scan(key)
    return _scans[key]


def find_installed(name: str) -> Installed | None:
    """Return an installed distribution, functory's or anybody's, or None. Reads names of folders alone."""
    key = _path()
    if key not in _places:
        _places[key] = _installed(key)[0]
    found = _places[key].get(normalise(name), [])
    return (_running(found) if normalise(name) == CORE else None) or next(iter(found), None)


def forget() -> None:
    """Look at the installed distributions anew at the next `scanned`."""
    _scans.clear()
    _places.clear()
    forget_headers()


def normalise(name: str) -> str:
    """Return a distribution's name as indexes compare it: ``Functory_LoRA`` is ``functory-lora``."""
    parts = name.lower().replace("_", "-").replace(".", "-").split("-")
    inner = [part for part in parts[1:-1] if part]
    return "-".join([parts[0], *inner, parts[-1]]) if len(parts) > 1 else parts[0]


def check_metadata(entry: Entry) -> Fault | None:
    """Return what is wrong with a distribution's METADATA, which listing does not read whole."""
    for name in ("METADATA", "PKG-INFO"):
        place = f"{entry.metadata}/{name}"
        try:
            read(place, METADATA_BYTES)[0].decode("utf-8")
        except FileNotFoundError:
            continue
        except UnicodeDecodeError as error:
            if error.end >= METADATA_BYTES:  # cut within a character
                return None
            return unreadable(entry.distribution, place, error)
        except OSError as error:
            return unreadable(entry.distribution, place, error)
        return None
    what = f"{entry.distribution} has no METADATA."
    is_core = entry.distribution == CORE  # which runs without
    where = entry.metadata or _RUNNING
    return Fault(entry.distribution, "no-metadata", what, where, reinstall(entry.distribution), is_fatal=not is_core)


def _path() -> tuple[str, ...]:
    """Return the folders that imports look into; what is no text is none."""
    return tuple(folder for folder in sys.path if isinstance(folder, str))


def _installed(path: Sequence[str]) -> tuple[dict[str, list[Installed]], list[Fault]]:
    """Return the distributions of each name, in the order of the path, and what has a name that none can have."""
    found: dict[str, list[Installed]] = {}
    faults: list[Fault] = []
    for folder in dict.fromkeys(path):
        for one in _in_folder(folder or os.curdir, faults):
            if _is_name(one.name) and len(one.version) <= 100 and consists_of(f"{one.version}.", "._+!-"):
                found.setdefault(one.name, []).append(one)
            else:
                faults += _nameless(one)
    return found, faults


def _in_folder(folder: str, faults: list[Fault]) -> Iterator[Installed]:
    """Give the distributions in a folder, always in the same order; of one name, the highest version first."""
    try:
        names = [name for name in os.listdir(folder) if name.endswith((".dist-info", ".egg-info"))]
    except (FileNotFoundError, NotADirectoryError, ValueError):  # not there, an archive, a name that no folder has
        return
    except OSError as error:  # what lies in it can be imported by nobody either
        what = f"a folder on the path cannot be read: {error.strerror or error}."
        do = "give the right to read it, or take it off the path."
        faults.append(Fault("the path", "unreadable-folder", what, shown(folder), do, is_fatal=False))
        return
    split = [(*_split(name), name) for name in names if not name.startswith("~")]  # "~": what pip could not delete
    split.sort()
    if len({one[0] for one in split}) < len(split):
        split.sort(key=lambda one: (one[0], _reversed(one[1]), one[2]))
    for name, version, file in split:
        metadata = os.path.join(folder, file)
        if file.endswith(".egg-info"):
            version = version.partition("-py")[0]
        yield Installed(name, version or read_header(metadata, "Version"), metadata)


def _split(file: str) -> tuple[str, str]:
    """Return the normalised name and the version that a folder's name holds."""
    name, _, version = file.rpartition(".")[0].partition("-")
    return normalise(name), version


def _is_name(name: str) -> bool:
    """Return whether a distribution can have this name, which is normalised."""
    return name.isascii() and consists_of(name, "-") and not (name.startswith("-") or name.endswith("-"))


def _reversed(version: str) -> list[int]:
    return [-int(number) for number in re.findall(r"[0-9]+", version)] + [0]


def _nameless(one: Installed) -> list[Fault]:
    """Return the fault of metadata in a folder whose name is no distribution's, if it has entry points."""
    if not os.path.lexists(os.path.join(one.metadata, "entry_points.txt")):
        return []
    folder = shown(os.path.basename(one.metadata))
    what = f"{folder} is no name of a distribution's metadata; it is passed over."
    where = shown(one.metadata)
    return [Fault("without a name", "odd-name", what, where, "delete it: no installer makes such a folder.", is_fatal=False)]


def _read(one: Installed) -> tuple[list[Entry], list[Fault]]:
    """Return what a distribution gives functory, and what is wrong with how it says so."""
    place = f"{one.metadata}/entry_points.txt"
    may_be_ours = one.name.startswith("functory")
    try:
        raw, is_whole = read(place, ENTRY_POINTS_BYTES)
    except FileNotFoundError:  # it has none; or it is a link that leads nowhere
        if not os.path.islink(place) and (os.path.isdir(one.metadata) or not os.path.islink(one.metadata)):
            return [], []
        return [], [unreadable(one.name, place, OSError("it is a link that leads nowhere"), is_ours=may_be_ours, is_listed=True)]
    except NotADirectoryError as error:
        if one.metadata.endswith(".egg-info"):  # older tools wrote a file
            return [], []
        return [], [unreadable(one.name, one.metadata, error, is_ours=may_be_ours, is_listed=True)]
    except OSError as error:
        return [], [unreadable(one.name, place, error, is_ours=may_be_ours, is_listed=True)]
    if PREFIX.encode() in raw or not is_whole:
        return read_entries(one.name, one.version, one.metadata, raw, is_whole=is_whole)
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:  # other libraries trip over it; UTF-16 may hide anything
        return [], [unreadable(one.name, place, error, is_ours=False, is_listed=may_be_ours)]
    return [], []


def _hidden(first: Installed, hidden: Installed, given: list[Entry]) -> list[Fault]:
    """Return the fault of a second distribution of one name, where it matters to functory."""
    try:
        if os.path.samefile(first.metadata, hidden.metadata):
            return []
    except OSError:
        pass
    others, _ = _read(hidden)
    have = {(entry.kind, entry.name) for entry in given}
    lost = [f"{entry.kind} {entry.name}" for entry in others if (entry.kind, entry.name) not in have]
    if not lost and (first.version == hidden.version or not given):
        return []
    more = f" {', '.join(lost[:5])}{' …' if len(lost) > 5 else ''} cannot be reached so." if lost else ""
    what = f"two versions of {first.name} are on the path: {first.version} hides {hidden.version}.{more}"
    do = f"delete the one that is not meant, or {reinstall(first.name)}"
    where = f"{first.metadata} and {hidden.metadata}"
    return [Fault(first.name, "two-versions", what, where, do, is_fatal=False, is_listed=bool(lost))]


def _core(found: list[Installed], faults: list[Fault]) -> list[Entry]:
    """Return the core's own components; note what else calls itself functory."""
    own = _running(found)
    for one in found:
        if own is None or (one is not own and one.version != own.version):
            what = f"a functory {one.version} lies on the path, and {VERSION} runs, from {_RUNNING}: it is passed over."
            do = f"delete it, or {reinstall(CORE)}"
            faults.append(Fault(CORE, "stray-functory", what, one.metadata, do, is_fatal=False))
    metadata = own.metadata if own is not None else ""
    return [Entry(kind, name, value, CORE, VERSION, str(CONTRACT), metadata) for kind, name, value in COMPONENTS]


def _running(found: list[Installed]) -> Installed | None:
    """Return the distribution whose files are the running code; an editable one's lie elsewhere, so its version decides."""
    beside = [one for one in found if os.path.join(os.path.dirname(os.path.abspath(one.metadata)), CORE) == _RUNNING]
    same = [one for one in [*beside, *found] if one.version == VERSION]
    return next(iter([*same, *beside]), None)
