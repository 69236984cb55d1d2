"""How a component is named: in a recipe, on the command line, in a manifest.

    minilm                 a name
    functory-minilm:minilm a name, and the distribution that gives it, where two give the same
    hf:org/name@revision   a backbone's name and a place, which that backbone understands
    dist:hf:org/name       both
    ./folder, /a/folder    a folder: the place of the backbone named hf
    ./my_task.py:MyTask    a class in a file (recipes only)

Only backbones take a place, so that ``a:b`` of any other kind is always distribution and name. For a backbone
it is so when the distribution `a` gives a backbone `b`; otherwise `a` is the name and `b` the place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from functory.machine.distributions import Entry, normalise

FOLDER_BACKBONE = "hf"
"""The backbone that reads a folder."""

_FILE = re.compile(r"(?P<file>.+\.py):(?P<attribute>[^\W\d]\w*)")


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference, taken apart."""

    name: str
    place: str = ""
    distribution: str = ""


def parse(reference: str, kind: str, entries: Iterable[Entry] = ()) -> Reference:
    """Take a reference apart.

    :param reference: as the user wrote it.
    :param kind: the kind asked for; only ``backbones`` take places.
    :param entries: what is installed: it decides whether ``a:b`` names a distribution.
    """
    if kind == "backbones" and is_folder(reference):
        return Reference(FOLDER_BACKBONE, place=reference)
    head, colon, rest = reference.partition(":")
    if not colon:
        return Reference(reference)
    if kind != "backbones":
        return Reference(rest, distribution=normalise(head))
    name, _, place = rest.partition(":")
    claimed = any(
        entry.name == name and entry.distribution == normalise(head)
        for entry in entries
        if entry.kind == kind
    )
    return Reference(name, place, normalise(head)) if claimed else Reference(head, rest)


def is_folder(reference: str) -> bool:
    """Return whether a reference is written as a folder: relative with a dot, from home, or absolute."""
    return reference.startswith((".", "~", "/")) or Path(reference).is_absolute()


def is_file(reference: str) -> bool:
    """Return whether a reference names a class in a file: ``./my_task.py:MyTask``."""
    return _FILE.fullmatch(reference) is not None


def split_file(reference: str) -> tuple[str, str]:
    """Return file and class of a reference for which `is_file` holds."""
    file, _, attribute = reference.rpartition(":")
    return file, attribute
