"""Leaves out of an artefact all forms but one engine's, so that what is packaged carries, and requires, no other."""

from __future__ import annotations

from pathlib import Path

from functory.artefact.card import card
from functory.artefact.checking import check, read_manifest
from functory.artefact.manifest import Manifest
from functory.artefact.members import CARD
from functory.artefact.sealing import seal
from functory.errors import UsageError
from functory.machine.folders import copy_files, files_of, written_whole
from functory.running.forms import FormRecord


def narrow(folder: Path, engine: str, target: Path) -> Path:
    """Write an artefact with the forms of one engine alone; each part of a composite has its own narrowed.

    :param folder: an artefact.
    :param engine: an engine's name; ``torch`` leaves the form that shares its backbone.
    :raises UsageError: when the function, or a part of it, has no form of that engine.
    """
    manifest = check(folder)
    with written_whole(target) as made:
        _write(folder, manifest, engine, made, "the function")
    return target


def _write(folder: Path, manifest: Manifest, engine: str, made: Path, what: str) -> None:
    """Write one artefact, narrowed; `what` is what a message calls it."""
    kept = tuple(form for form in manifest.forms if form.is_of(engine))
    if not kept:
        raise _lacking(manifest, engine, what, folder)
    parts = {name: place for form in kept for name, place in form.places().items()}
    gone = [member for form in manifest.forms if form not in kept for member in form.members()]
    left_out = (*gone, *(f"{place}/" for place in parts.values()))
    copy_files({path: file for path, file in files_of(folder).items() if not path.startswith(left_out)}, made)
    for name, place in parts.items():
        _write(folder / place, read_manifest(folder / place), engine, made / place, f"its part {name!r}")
    _describe(manifest, kept, made)


def _describe(manifest: Manifest, kept: tuple[FormRecord, ...], made: Path) -> None:
    """Write the manifest of what was kept; the card too, where it says another form now."""
    narrowed = manifest.model_copy(update={"forms": kept})
    if kept != manifest.forms:
        (made / CARD).write_text(card(narrowed), encoding="utf-8")
    seal(made, narrowed)


def _lacking(manifest: Manifest, engine: str, what: str, folder: Path) -> UsageError:
    """Return the error that says which forms there are, and how one of that engine is made."""
    from functory.plugins.registry import entries

    there = sorted({kept.name for form in manifest.forms for kind, kept in form.components() if kind == "engines"})
    take = "take " + " or ".join(f"--engine {name}" for name in there)
    installed = sorted(entry.name for entry in entries("engines"))
    if engine in installed:
        more = f", or make the form: functory optimize … --set 'engines=[\"{engine}\"]', and package that"
    else:
        more = f". Installed engines: {', '.join(installed)}"
    return UsageError(
        f"{what} has no form of an engine {engine!r}; it has {', '.join(form.label for form in manifest.forms)}.",
        where=str(folder),
        do=f"{take}{more}.",
    )
