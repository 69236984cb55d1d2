"""Derives again what a manifest says and its parts give too, and compares: a signature, a licence or a figure that was forged.

What cannot be derived (name, version, the maker's own licence, notes, recipe, figures without a report) is covered by the
digest alone. Apart from `checking`, which runs nothing: here the task and the backbone are asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from functory.artefact.manifest import CompositeRecord, FormRecord, Manifest, TorchRecord, Writers, label
from functory.artefact.members import MANIFEST, REPORT
from functory.artefact.signatures import Comparison
from functory.errors import ArtefactCorrupt
from functory.plugins.registry import origin
from functory.running.forms import CompositeForm, TorchForm

if TYPE_CHECKING:
    from functory.function import Function
    from functory.measuring.report import Metric


def check_derived(folder: Path, manifest: Manifest, record: FormRecord, function: Function) -> None:
    """Compare what a manifest says with what the function that was made from it gives.

    Another version of the task, or one in a file, may have more fields that need not be given; its words are not compared.

    :raises ArtefactCorrupt: naming what differs.
    """
    made, by, here = manifest.task, manifest.written_by, Writers.here()
    comparison = Comparison(
        may_have_more=not made.distribution or not _is_version(made.version, function.task) or by.functory != here.functory,
        may_say_otherwise=by.pydantic != here.pydantic,
    )
    place = comparison.difference(manifest.signature, function.signature)
    if place:
        do = "get a fresh copy."
        if comparison != Comparison():
            task = f"{made.distribution} {made.version}, " if made.distribution else ""
            writer = f"{task}functory {by.functory}, pydantic {by.pydantic}"
            do = f"get a fresh copy; or build it again: it was made with {writer}."
        raise _refused(folder, f"{place} of the signature is not what task {function.task.name!r} and its state give", do)
    if isinstance(record, TorchRecord) and isinstance(function.form, TorchForm):
        _check_torch(folder, record, function.form, is_same_task=not comparison.may_have_more)
    _check_licences(folder, manifest, record, function)
    report = function.report
    if report is not None and _plain(manifest.metrics) != _plain(report.metrics):
        raise _refused(folder, f"the metrics are not those of {REPORT}")


def _check_torch(folder: Path, record: TorchRecord, form: TorchForm, *, is_same_task: bool) -> None:
    """Compare the form's name, its program and the facts of the backbone.

    :param is_same_task: whether the task is the one that it was made with; another version may read other ports.

    :raises ArtefactCorrupt: naming the first that differs.
    """
    if label(record) != form.name:
        raise _refused(folder, f"the form is called {label(record)!r} and is {form.name!r}")
    if is_same_task and record.program != form.program.as_json():
        raise _refused(folder, f"the ports of the program are not those of form {form.name!r}")
    kept, here = record.spec.model_dump(mode="json"), form.spec.model_dump(mode="json")
    open_to_change = {"revision"}  # the same weights may have several
    if record.backbone.name != form.backbone.reference:
        open_to_change |= {"reference", "licence"}  # the same weights, which lie elsewhere now
    elif not _is_version(record.backbone.version, form.backbone):
        open_to_change.add("licence")  # a newer version may know it better
    for name in kept.keys() - open_to_change:
        if kept[name] != here[name]:
            raise _refused(
                folder,
                f"the backbone's {name} is {here[name]!r}, and not {kept[name]!r}",
                "get a fresh copy; where the backbone's plugin is another version than it was made with, build it again.",
            )


def _check_licences(folder: Path, manifest: Manifest, record: FormRecord, function: Function) -> None:
    """Check that the licences of the backbone, or of the parts, are told.

    :raises ArtefactCorrupt: when one is not.
    """
    if isinstance(record, CompositeRecord) and isinstance(function.form, CompositeForm):
        owed = {licence for part in function.form.parts.values() for licence in part.about.licences}
    else:
        owed = {record.spec.licence} if not isinstance(record, CompositeRecord) and record.spec.licence else set()
    lacking = sorted(owed - set(manifest.licences))
    if lacking:
        raise _refused(folder, f"the licences do not name {lacking[0]!r}, which is that of what it was made from")


def _is_version(version: str, component: object) -> bool:
    """Whether a component is of the version that the manifest keeps."""
    entry = origin(component)
    return version == (entry.version if entry else "")


def _plain(metrics: Mapping[str, Metric]) -> dict[str, str]:
    """Return metrics as texts, which compare what is not a number too."""
    return {name: metric.model_dump_json() for name, metric in metrics.items()}


def _refused(folder: Path, what: str, do: str = "get a fresh copy.") -> ArtefactCorrupt:
    return ArtefactCorrupt(f"{MANIFEST} says what its parts do not: {what}.", where=str(folder), do=do)
