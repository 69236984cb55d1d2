"""Keeps one plugin's broken metadata from breaking the libraries that read everybody's.

pydantic (at the first model) and transformers (at import) read the metadata of every installed distribution,
and die of one file that is no UTF-8, or of one line that announces nothing. `functory list` names the
distribution that has it; here it stops doing harm.
"""

from __future__ import annotations

from typing import Any

from functory.machine.distributions import check_metadata, scanned

_HARMFUL = {"unreadable-metadata", "malformed-entry"}


def shield() -> None:
    """Let importlib.metadata pass over what it cannot read, if a plugin of functory's has such metadata.

    Nothing changes where all metadata is sound; elsewhere, only what would have raised.
    """
    entries, faults = scanned()
    found = [*faults, *map(check_metadata, entries)]
    if not any(fault is not None and fault.diagnosis in _HARMFUL for fault in found):
        return
    from importlib.metadata import PathDistribution

    read = PathDistribution.read_text

    def read_text(self: PathDistribution, filename: str) -> str | None:
        try:
            text = read(self, filename)
        except UnicodeDecodeError:
            found: Any = self  # Any: the folder of a distribution is private, and typed from Python 3.13 on alone
            text = found._path.joinpath(filename).read_bytes().decode("utf-8", "replace")
        return _sound_lines(text) if text and filename == "entry_points.txt" else text

    PathDistribution.read_text = read_text  # type: ignore[method-assign, assignment]


def _sound_lines(text: str) -> str:
    """Return the lines of an ``entry_points.txt`` that are a group or announce something."""
    lines = text.splitlines()
    return "\n".join(line for line in lines if "=" in line or line.lstrip().startswith(("[", "#")))
