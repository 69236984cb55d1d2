"""Rows into files: which reader writes a file, by the ending of its name, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functory.contracts.reader import DataReader
from functory.errors import OptionError, PluginError
from functory.plugins.registry import entries, known, load

AnyReader = DataReader[Any]  # Any: each has options of its own


@dataclass(frozen=True)
class Rows:
    """Rows that are to be written.

    :param ending: the ending of the file's name in small letters: ``.tsv``.
    :param columns: the columns of all rows, in their order; a row may lack some.
    :param begin: gives the rows from the first one on, as often as it is called.
    """

    ending: str
    columns: tuple[str, ...]
    begin: Callable[[], Iterator[Mapping[str, Any]]]  # Any: what columns hold

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return self.begin()


def writer_of(path: Path) -> AnyReader:
    """Return the reader that writes files whose names end so.

    :raises OptionError: when none does, with the endings that there are.
    """
    ending = path.suffix.lower()
    there: dict[str, type[AnyReader]] = {}
    for entry in entries("readers"):
        try:
            found = load("readers", entry.qualified if entry.distribution else entry.name)
        except PluginError:  # it writes nothing, and keeps no other from writing
            continue
        if found.writes:
            there |= dict.fromkeys(found.endings, found)
    if ending in there:
        made: AnyReader = there[ending]()
        return made
    raise OptionError(f"the name {path.name!r} tells no format that is written.", do=_remedy(ending, list(there)))


def _remedy(ending: str, there: list[str]) -> str:
    """Return what to do: the distribution that is known to write such files, or the endings that there are."""
    brings = known().get("readers", {}).get(ending[1:])
    others = f"end it with {', '.join(there)}."
    return f"pip install {brings}, or {others}" if brings and ending not in there else others
