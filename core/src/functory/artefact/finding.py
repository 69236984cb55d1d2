"""Finds the functions that were saved in a folder, by their manifests alone.

Imports next to nothing: what is only listed is neither checked nor opened.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functory.artefact.members import DIGEST, MANIFEST, REPORT
from functory.artefact.sealing import unseal
from functory.errors import ArtefactError
from functory.machine.boundary import reading
from functory.machine.members import is_file, read_json

DEPTH = 3
"""How many folders deep functions are looked for."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A function that lies in a folder.

    :param trouble: why its manifest cannot be read; the rest is empty then.
    """

    folder: str
    name: str = ""
    version: str = ""
    task: str = ""
    forms: tuple[str, ...] = ()
    metric: str = ""
    value: float | None = None
    bytes: int = 0
    trouble: str = ""


def find(folder: Path, depth: int = DEPTH) -> Iterator[Saved]:
    """Give the functions in a folder, and in those in it, in the order of their names.

    Hidden folders and links are passed by; what a function's own folder holds belongs to it.
    """
    if is_file(folder / MANIFEST):
        yield read(folder)
        return
    if depth <= 0:
        return
    try:
        inside = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))
    except OSError:  # not ours to look into
        return
    for name in inside:
        if not name.startswith("."):
            yield from find(folder / name, depth - 1)


def read(folder: Path) -> Saved:
    """Return what the manifest in a folder says; the other members are not looked at."""
    place = str(folder)
    try:
        with reading(MANIFEST, folder):
            data, _ = unseal(folder)
            own = sum((folder / name).stat().st_size for name in (MANIFEST, DIGEST))
            metric, value = _figure(data["metrics"], folder)
            return Saved(
                folder=place,
                name=str(data["name"]),
                version=str(data["version"]),
                task=str(data["task"]["name"]),
                forms=tuple(map(_label, data["forms"])),
                metric=metric,
                value=value,
                bytes=sum(int(member["size"]) for member in data["members"].values()) + own,
            )
    except ArtefactError as error:
        return Saved(place, trouble=error.what)


def _label(form: dict[str, Any]) -> str:
    """Return what a form is called, as its record's `label` does: by its engine where it has one, by its kind where not."""
    return f"{form['engine']['name']} {form['program']['precision']}" if "engine" in form else str(form["kind"])


def _figure(metrics: dict[str, Any], folder: Path) -> tuple[str, float | None]:
    """Return the metric by which the function is chosen, and its value."""
    if not metrics:
        return "", None
    chosen = ""
    if (folder / REPORT).is_file():
        chosen = str(read_json(folder / REPORT).get("metric", ""))
    name = chosen if chosen in metrics else next(iter(metrics))
    figure = metrics[name]
    return name, float(figure["value"] if isinstance(figure, dict) else figure)
