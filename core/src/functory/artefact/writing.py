"""Writes a function into a folder, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from functory.artefact.assembling import read
from functory.artefact.manifest import Manifest, Writers
from functory.artefact.members import CARD, GOLDEN, MANIFEST, REPORT
from functory.artefact.sealing import seal
from functory.errors import ArtefactError
from functory.machine.folders import written_whole
from functory.machine.storage import placing
from functory.machine.targets import LEAST, replaceable_folder
from functory.running.forms import Form, Kept
from functory.running.golden import replay

if TYPE_CHECKING:
    from functory.function import Function


def save(function: Function, folder: Path, *, mistakes: bool = False) -> Path:
    """Write a function; replay its golden examples from what was written; then put it in place.

    :param mistakes: keep the report's mistakes too, which quote the data that it was evaluated on.
    :raises GoldenMismatch: when the written function is not the one in memory; nothing is left behind.
    :raises ArtefactError: as `target`, and so do its UsageError and StorageError.
    """
    target(folder, weight(function.form))
    with written_whole(folder) as made:
        write(function, made, mistakes=mistakes)
        again = read(made, session=function.session_options)
        replay(again, function.golden, function.form.tolerance, where=f"{folder}, just written")
        again.close()
    return folder


def target(folder: Path, need: int = LEAST) -> Path:
    """Return where a function can be saved; asked before the work that it is for, and again when it is saved.

    :param need: bytes that it will take, as far as is known.
    :raises ArtefactError: when the folder holds something that is no function, and so is not ours to replace.
    :raises UsageError: when no folder can be there: a file, the working directory, a place that is not the user's to write.
    :raises StorageError: when the disk is full, or too full.
    """
    place = replaceable_folder(folder, need)
    with placing(folder, place):
        is_foreign = place.is_dir() and any(place.iterdir()) and not (place / MANIFEST).is_file()
    if is_foreign:
        raise ArtefactError(
            "the folder holds something that is no function, and is left as it is.",
            where=str(folder),
            do="name a new folder, or empty this one.",
        )
    return place


def weight(form: Form) -> int:
    """Return the bytes that a form takes on disk, a little more or less."""
    return sum(weight(part.form) for part in form.parts.values()) or LEAST + form.weight()


def write(function: Function, folder: Path, *, mistakes: bool = False) -> None:
    """Write a function's files, the manifest and its digest last."""
    from functory.artefact.card import card

    record = function.form.write(_Place(folder))
    if function.golden:
        (folder / GOLDEN).write_text("".join(one.line() + "\n" for one in function.golden), encoding="utf-8")
    about, report = function.about, function.report
    manifest = Manifest(
        written_by=Writers.here(),
        name=about.name,
        version=about.version,
        licence=about.licence,
        licences=about.licences,
        task=Kept.of_component(function.task),
        state=function.state.model_dump(mode="json"),
        signature=function.signature,
        forms=(record,),
        long_text=about.long_text,
        max_tokens=about.max_tokens,
        recipe=about.recipe,
        data=about.data,
        versions=about.versions,
        metrics=about.metrics if report is None else report.metrics,
        notes=about.notes,
        tried=about.tried,
        optimization=about.optimization,
    )
    if report is not None:
        kept = report if mistakes else report.keeping(0)
        (folder / REPORT).write_text(kept.to_json() + "\n", encoding="utf-8")
    (folder / CARD).write_text(card(manifest, report), encoding="utf-8")
    seal(folder, manifest)


@dataclass(slots=True)
class _Place:
    """The folder that a function is written into, as its form meets it."""

    folder: Path

    def part(self, function: Function, place: str) -> None:
        folder = self.folder / place
        folder.mkdir(parents=True, exist_ok=True)
        write(function, folder)
