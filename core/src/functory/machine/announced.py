"""What one distribution's ``entry_points.txt`` says that it gives functory, line by line, and what is wrong in it.

Apart from `distributions`, which finds the files: here is what a line may be. Whatever it holds, reading it takes
time in proportion to its length, and what is left out is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from functory.machine.metadata import ENTRY_POINTS_BYTES, read_header

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
    "families",
    "forms",
    "commands",
    "verbs",
    "pipelines",
    "faces",
    "hooks",
)
"""The kinds of component; their entry-point groups are ``functory.<kind>``."""

CONTRACT = 1
"""The version of the contracts that this core speaks. It changes when a component would stop working."""

MOST_COMPONENTS = 1000
"""The components of one distribution that are taken."""
MOST_FAULTS = 5
"""The faulty lines of one distribution that are told one by one."""
LONGEST = 300
"""The characters that a name, and the place of a component, may have."""
PREFIX = "functory."
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
        return read_header(self.metadata, "Summary") if self.metadata else ""

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
    is_fatal: bool = True
    """Whether something that it gives functory cannot be used."""
    is_listed: bool = True
    """Whether `list` says so: something may be missing there. `doctor` says everything."""


def read_entries(
    name: str, version: str, metadata: str, raw: bytes, *, is_whole: bool = True
) -> tuple[list[Entry], list[Fault]]:
    """Return the entries of one ``entry_points.txt``, and what is wrong with it.

    :param name: the distribution's, normalised.
    :param raw: the file's first bytes; `is_whole` says whether they are all.
    """
    place = f"{metadata}/entry_points.txt"
    faults: list[Fault] = []
    if not is_whole:
        raw = raw.rpartition(b"\n")[0]
        what = f"{name} has an entry_points.txt of more than {ENTRY_POINTS_BYTES:,} bytes; what comes after them is left out."
        faults.append(Fault(name, "too-large", what, place, reinstall(name), is_fatal=name.startswith("functory")))
    try:
        text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        return [], [*faults, unreadable(name, place, error, is_ours=PREFIX.encode() in raw)]
    found: dict[tuple[str, str], str] = {}
    contracts: list[str] = []
    wrong: list[Fault] = []
    for number, group, key, value in _lines(text):
        fault = _wrong(name, group, key, value, f"{place}, line {number}")
        kind = group.removeprefix(PREFIX)
        if fault is not None:
            wrong.append(fault)
        elif group == _CONTRACT_GROUP:
            contracts.append(key)
        elif (kind, key) in found:
            wrong.append(_twice(name, kind, key, f"{place}, line {number}"))
        else:
            found[kind, key] = value
    spoken = str(CONTRACT) if str(CONTRACT) in contracts else next(iter(contracts), None)
    taken = [*found.items()][:MOST_COMPONENTS]
    entries = [Entry(kind, key, value, name, version, spoken, metadata) for (kind, key), value in taken]
    if len(found) > len(taken):
        what = f"{name} gives functory {len(found):,} components; the first {len(taken):,} are taken, the others left out."
        faults.append(Fault(name, "too-many", what, place, f"tell its author, or pip uninstall {name}."))
    return entries, [*faults, *_first(wrong, name, place)]


def unreadable(name: str, place: str, error: Exception, *, is_ours: bool = True, is_listed: bool | None = None) -> Fault:
    """Return the fault of a metadata file that cannot be read.

    :param is_ours: whether it gives functory something.
    :param is_listed: where it is not known whether it does; `is_ours` when not given.
    """
    reason = "is no UTF-8" if isinstance(error, UnicodeDecodeError) else f"cannot be read: {_reason(error)}"
    what = f"the metadata of {name} {reason}."
    told = is_ours if is_listed is None else is_listed
    return Fault(name, "unreadable-metadata", what, place, reinstall(name), is_fatal=is_ours, is_listed=told)


def reinstall(name: str) -> str:
    """Return the line that puts a distribution's files right, or takes them away."""
    return f"pip install --force-reinstall --no-deps {name}, or pip uninstall {name}."


def shown(text: str) -> str:
    """Return foreign text as Python writes it, without anything that a terminal obeys, and cut."""
    return repr(text if len(text) <= 200 else f"{text[:199]}…")


def consists_of(text: str, marks: str) -> bool:
    """Return whether a text consists of letters, digits and some marks. A pattern would cost a start its compilation."""
    return all(letter.isalnum() or letter in marks for letter in text) and bool(text)


def _is_place(value: str) -> bool:
    """Return whether a value is a module and an attribute: ``functory_lora:LoRA``."""
    module, _, attribute = value.partition(":")
    return all(part.isidentifier() for part in (*module.split("."), *attribute.split(".")))


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _lines(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Yield (line number, group, name, value) of each entry point in a group of functory's."""
    group = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("["):
            group = line[: 2 * LONGEST].strip("[] ")
        elif line and line[0] not in "#;" and group.startswith(PREFIX):
            name, _, value = line[: 4 * LONGEST].partition("=")
            yield number, group, name.strip(), value.partition("[")[0].strip()


def _wrong(name: str, group: str, key: str, value: str, place: str) -> Fault | None:
    """Return what is wrong with one line in a group of functory's."""
    kind = group.removeprefix(PREFIX)
    if group == _CONTRACT_GROUP:
        if len(key) <= 20 and consists_of(key, "_."):
            return None
        what = f"{name} says that it was written for the contract version {shown(key)}, which is none."
    elif kind not in GROUPS:
        what = f"{name} gives functory {shown(kind)}, a kind that this version does not know."
        do = f"it knows {', '.join(GROUPS)}. Perhaps {name} needs a newer one: pip install -U functory"
        return Fault(name, "unknown-kind", what, place, do)
    elif len(key) > LONGEST or not consists_of(key, "_.+-") or key[0] in ".+-":
        what = f"{name} announces {shown(key)}, which is no name: letters, digits and _, and after the first . + - too."
    elif len(value) > LONGEST or not _is_place(value):
        what = f"{name} announces {shown(key)} as {shown(value)}, not as 'module:attribute'."
    else:
        return None
    return Fault(name, "malformed-entry", what, place, reinstall(name))


def _twice(name: str, kind: str, key: str, place: str) -> Fault:
    what = f"{name} announces {kind} {shown(key)} twice; the first is taken."
    return Fault(name, "named-twice", what, place, "tell its author: one name, one component.", is_fatal=False)


def _first(wrong: list[Fault], name: str, place: str) -> Iterator[Fault]:
    """Give the first faults one by one, and the number of the others."""
    yield from wrong[:MOST_FAULTS]
    if len(wrong) > MOST_FAULTS:
        what = f"{name} has {len(wrong) - MOST_FAULTS:,} more lines that are left out."
        yield Fault(name, "malformed-entry", what, place, reinstall(name))
