"""Finds the artefact of a function that a wheel brought."""

from __future__ import annotations

from pathlib import Path

from functory.errors import ArtefactError, FunctoryError, UnknownComponent


def artefact_of(reference: Path | str) -> Path:
    """Return the folder of an artefact: the one named, or an installed function's.

    :param reference: a folder, or the name of a component of the kind ``functions``, whose entry point is a
        module-level `Path` of the artefact's folder.
    :raises ArtefactError: when it is neither.
    """
    folder = Path(reference)
    if folder.is_dir() or isinstance(reference, Path) or "/" in str(reference):
        return folder
    from functory.plugins import load

    try:
        found = load("functions", str(reference))
    except UnknownComponent as error:
        raise ArtefactError(
            f"there is no folder and no installed function named {str(reference)!r}.",
            where=str(Path.cwd()),
            do=f"name the folder that `save` wrote, or install the function's wheel. {error.do}",
        ) from None
    if not isinstance(found, Path):
        raise FunctoryError(f"the installed function {reference!r} gives no folder.", do="package it again with this functory.")
    return found
