"""Writes a function into a folder, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory.artefact.assembling import read
from functory.artefact.manifest import (
    CompositeRecord,
    EngineRecord,
    FormRecord,
    Kept,
    Manifest,
    TorchRecord,
    Writers,
    place_of,
)
from functory.artefact.members import CARD, GOLDEN, MANIFEST, REPORT, WEIGHTS
from functory.artefact.sealing import seal
from functory.errors import ArtefactError
from functory.machine.folders import copy_files, files_of, written_whole
from functory.machine.storage import placing
from functory.machine.targets import LEAST, replaceable_folder
from functory.plugins.registry import origin
from functory.running.forms import EngineForm, Form, TorchForm
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

    record = _write_form(function.form, folder)
    if function.golden:
        (folder / GOLDEN).write_text("".join(one.line() + "\n" for one in function.golden), encoding="utf-8")
    about, report = function.about, function.report
    manifest = Manifest(
        written_by=Writers.here(),
        name=about.name,
        version=about.version,
        licence=about.licence,
        licences=about.licences,
        task=_kept(function.task),
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


def _write_form(form: Form, folder: Path) -> FormRecord:
    """Write a form's files and return its record."""
    if isinstance(form, TorchForm):
        return _write_torch(form, folder)
    if isinstance(form, EngineForm):
        return _write_engine(form, folder)
    for name, part in form.parts.items():
        write(part, _made(folder / "parts" / name))
    return CompositeRecord(parts={name: f"parts/{name}" for name in form.parts}, tolerance=form.tolerance)


def _write_torch(form: TorchForm, folder: Path) -> TorchRecord:
    from safetensors.numpy import save_file

    phi = form.engine.phi(form.program.model)
    if phi:
        save_file(phi, folder / WEIGHTS)
    return TorchRecord(
        engine=_kept(form.engine),
        backbone=_kept(form.backbone, form.backbone.reference),
        spec=form.spec,
        adaptation=_kept(form.adaptation),
        formulation=form.put,
        program=form.program.as_json(),
        has_phi=bool(phi),
        tolerance=form.tolerance,
    )


def _write_engine(form: EngineForm, folder: Path) -> EngineRecord:
    place = place_of(form.engine.name, form.program.precision)
    made = _made(folder / place)
    copy_files(files_of(form.folder), made)
    (made / "tokenizer.json").write_text(form.tokenizer.json, encoding="utf-8")
    return EngineRecord(
        engine=_kept(form.engine),
        folder=place,
        spec=form.spec,
        formulation=form.put,
        program=form.program.as_json(),
        threads=form.options.threads,
        budget=form.options.budget,
        probed_on=form.probed_on,
        tolerance=form.tolerance,
    )


def _kept(component: Any, name: str = "") -> Kept:
    """Return what the manifest keeps of a component; its own name where none is given."""
    entry = origin(component)
    return Kept(
        name=name or component.name,
        options=component.options.model_dump(mode="json", exclude_unset=True),
        distribution=entry.distribution if entry else "",
        version=entry.version if entry else "",
    )


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
