"""What the installed distributions say that they contribute, read from their metadata alone.

Apart from `plugins`, because nothing here imports anybody's code. It reads ``entry_points.txt`` itself, in
plain system calls: importlib.metadata takes 30 ms to import, and pathlib doubles the time of the scan.
"""
# ruff: noqa: PTH110, PTH208 - see above

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

GROUPS = (
    "backbones",
    "tasks",
    "adaptations",
    "engines",
    "optimizations",
    "explanations",
    "packagers",
    "functions",
    "readers",
    "samples",
    "commands",
    "hooks",
)
"""The kinds of component; their entry-point groups are ``functory.<kind>``."""

CONTRACT = 1
"""The version of the contracts that this core speaks. It changes when a component would stop working."""

_PREFIX = "functory."
_CONTRACT_GROUP = "functory.contract"


@dataclass(frozen=True, slots=True)
class Entry:
    """One component, as its distribution announces it."""

    kind: str
    name: str
    value: str
    """Where it is: ``functory_lora:LoRA``; for a component in a file, the reference to the file."""
    distribution: str
    """The normalised name, ``functory-lora``; empty for a component in a file."""
    version: str
    contract: str | None
    """The contract version that the distribution was written for; None where it says none."""
    metadata: str = field(default="", repr=False)
    """The folder with the distribution's metadata."""

    @property
    def summary(self) -> str:
        """The distribution's one-line summary; read when asked for, empty where there is none."""
        return read_header(self.metadata, "Summary")

    @property
    def qualified(self) -> str:
        """The reference that is never ambiguous: ``functory-lora:lora``."""
        return f"{self.distribution}:{self.name}" if self.distribution else self.value

    @property
    def speaks(self) -> bool:
        """Whether it was written for the contracts that this core speaks; the core's own always are."""
        return self.contract == str(CONTRACT) or self.distribution == "functory"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a distribution's metadata: it is skipped, or taken in part; no other suffers."""

    distribution: str
    diagnosis: str
    what: str
    where: str
    do: str


def scan(path: Sequence[str]) -> tuple[list[Entry], list[Fault]]:
    """Read what every distribution on a path contributes to functory.

    :param path: folders in the order of `sys.path`; the first distribution of a name hides later ones, as it
        does for imports. Archives are not read.
    :return: entries, sorted by kind and name, and faults.
    """
    entries: list[Entry] = []
    faults: list[Fault] = []
    seen: set[str] = set()
    for folder in dict.fromkeys(path):
        for name, version, metadata in _distributions(folder or os.curdir):
            if name in seen:
                continue
            seen.add(name)
            try:
                with open(f"{metadata}/entry_points.txt", "rb") as file:
                    raw = file.read()
            except OSError as error:
                if not isinstance(error, FileNotFoundError) and name.startswith("functory"):
                    faults.append(_unreadable(name, f"{metadata}/entry_points.txt", error))
                continue
            if b"functory." in raw:
                _read(name, version, metadata, raw, entries, faults)
    order = {kind: position for position, kind in enumerate(GROUPS)}
    entries.sort(key=lambda entry: (order[entry.kind], entry.name, entry.distribution))
    return entries, faults


_scans: dict[tuple[str, ...], tuple[list[Entry], list[Fault]]] = {}


def scanned() -> tuple[list[Entry], list[Fault]]:
    """Return the scan of the present `sys.path`, made once; `forget` makes the next one anew."""
    key = tuple(sys.path)
    if key not in _scans:
        _scans[key] = scan(key)
    return _scans[key]


def forget() -> None:
    """Look at the installed distributions anew at the next `scanned`."""
    _scans.clear()


def normalise(name: str) -> str:
    """Return a distribution's name as indexes compare it: ``Functory_LoRA`` is ``functory-lora``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_header(metadata: str, header: str) -> str:
    """Return one header of a distribution's METADATA, or an empty text; what is no UTF-8 is replaced."""
    for name in ("METADATA", "PKG-INFO"):
        try:
            with open(f"{metadata}/{name}", encoding="utf-8", errors="replace") as file:
                for line in file:
                    if line.startswith(f"{header}:"):
                        return line.partition(":")[2].strip()
                    if not line.strip():  # the description begins: a README may hold such a line too
                        break
        except OSError:
            continue
    return ""


def check_metadata(entry: Entry) -> Fault | None:
    """Return what is wrong with a distribution's METADATA, which listing does not read whole."""
    for name in ("METADATA", "PKG-INFO"):
        place = f"{entry.metadata}/{name}"
        if not os.path.exists(place):
            continue
        try:
            with open(place, encoding="utf-8") as file:
                file.read()
        except (OSError, UnicodeDecodeError) as error:
            return _unreadable(entry.distribution, place, error)
        return None
    return Fault(
        entry.distribution,
        "no-metadata",
        f"{entry.distribution} has no METADATA.",
        entry.metadata,
        _reinstall(entry.distribution),
    )


def _distributions(folder: str) -> Iterator[tuple[str, str, str]]:
    """Yield (name, version, metadata folder) of each distribution in a folder, always in the same order."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith((".dist-info", ".egg-info")))
    except OSError:  # an archive, or a folder that is not there
        return
    for file in names:
        name, _, version = file.rpartition(".")[0].partition("-")
        metadata = os.path.join(folder, file)
        if name.startswith("~") or not name:  # what pip leaves of a distribution that it could not delete
            continue
        if file.endswith(".egg-info"):
            version = version.partition("-py")[0] or read_header(metadata, "Version")
        yield normalise(name), version, metadata


def _read(
    name: str, version: str, metadata: str, raw: bytes, entries: list[Entry], faults: list[Fault]
) -> None:
    """Add what one ``entry_points.txt`` says to entries and faults."""
    place = f"{metadata}/entry_points.txt"
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        faults.append(_unreadable(name, place, error))
        return
    found: dict[tuple[str, str], str] = {}
    contracts: list[str] = []
    for number, group, key, value in _lines(text):
        kind = group.removeprefix(_PREFIX)
        if group == _CONTRACT_GROUP:
            contracts.append(key)
        elif kind not in GROUPS:
            what = f"{name} gives functory {kind!r}, a kind that this version does not know."
            do = f"it knows {', '.join(GROUPS)}. Perhaps {name} needs a newer one: pip install -U functory"
            faults.append(Fault(name, "unknown-kind", what, f"{place}, line {number}", do))
        elif not key or not re.fullmatch(r"[\w.]+:[\w.]+", value):
            what = f"{name} announces {key or 'something'!r} as {value!r}, not as 'module:attribute'."
            faults.append(Fault(name, "malformed-entry", what, f"{place}, line {number}", _reinstall(name)))
        else:
            found.setdefault((kind, key), value)
    spoken = str(CONTRACT) if str(CONTRACT) in contracts else next(iter(contracts), None)
    entries.extend(
        Entry(kind, key, value, name, version, spoken, metadata) for (kind, key), value in found.items()
    )


def _lines(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Yield (line number, group, name, value) of each entry point in a group of functory's."""
    group = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("["):
            group = line.strip("[] ")
        elif line and line[0] not in "#;" and group.startswith(_PREFIX):
            name, _, value = line.partition("=")
            yield number, group, name.strip(), value.partition("[")[0].strip()


def _unreadable(name: str, place: str, error: Exception) -> Fault:
    """Return the fault of a metadata file that cannot be read."""
    reason = "is no UTF-8" if isinstance(error, UnicodeDecodeError) else f"cannot be read: {error}"
    what = f"the metadata of {name} {reason}."
    return Fault(name, "unreadable-metadata", what, place, _reinstall(name))


def _reinstall(name: str) -> str:
    return f"pip install --force-reinstall --no-deps {name}, or pip uninstall {name}."
