"""Derives again what a manifest says and its parts give too, and compares: a signature, a licence or a figure that was forged.

What cannot be derived (name, version, the maker's own licence, notes, recipe, figures without a report) is covered by the
digest alone. Apart from `checking`, which runs nothing: here the task and the backbone are asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from functory.artefact.manifest import Manifest, Writers
from functory.artefact.members import MANIFEST, REPORT
from functory.artefact.signatures import Comparison
from functory.errors import ArtefactCorrupt
from functory.running.forms import FormRecord

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
        may_have_more=not made.distribution or not made.is_version_of(function.task) or by.functory != here.functory,
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
    differing = record.difference(function.form, is_same_task=not comparison.may_have_more)
    if differing:
        raise _refused(folder, *differing)
    _check_licences(folder, manifest, record, function)
    report = function.report
    if report is not None and _plain(manifest.metrics) != _plain(report.metrics):
        raise _refused(folder, f"the metrics are not those of {REPORT}")


def _check_licences(folder: Path, manifest: Manifest, record: FormRecord, function: Function) -> None:
    """Check that the licences of the backbone, or of the parts, are told.

    :raises ArtefactCorrupt: when one is not.
    """
    owed = record.licences().union(*(part.about.licences for part in function.form.parts.values()))
    lacking = sorted(owed - set(manifest.licences))
    if lacking:
        raise _refused(folder, f"the licences do not name {lacking[0]!r}, which is that of what it was made from")


def _plain(metrics: Mapping[str, Metric]) -> dict[str, str]:
    """Return metrics as texts, which compare what is not a number too."""
    return {name: metric.model_dump_json() for name, metric in metrics.items()}


def _refused(folder: Path, what: str, do: str = "get a fresh copy.") -> ArtefactCorrupt:
    return ArtefactCorrupt(f"{MANIFEST} says what its parts do not: {what}.", where=str(folder), do=do)
