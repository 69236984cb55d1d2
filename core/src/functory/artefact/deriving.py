"""Derives again what a manifest says and its parts give too, and compares: a signature, a licence or a figure that was forged.

What cannot be derived (name, version, the maker's own licence, notes, recipe, figures without a report) is covered by the
digest alone. Apart from `checking`, which runs nothing: here the task and the backbone are asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory import __version__
from functory.artefact.manifest import CompositeRecord, FormRecord, Manifest, TorchRecord, label
from functory.artefact.members import MANIFEST, REPORT
from functory.errors import ArtefactCorrupt
from functory.plugins.registry import origin
from functory.running.forms import CompositeForm, TorchForm

if TYPE_CHECKING:
    from functory.function import Function
    from functory.measuring.report import Metric

NAMED = ("properties", "$defs")
"""What a schema holds by the names of fields and types, which may be called as anything else is."""
PROSE = ("description", "examples")
"""What a schema tells people; another version of a task may say it better."""


def check_derived(folder: Path, manifest: Manifest, record: FormRecord, function: Function) -> None:
    """Compare what a manifest says with what the function that was made from it gives.

    Another version of the task, or one in a file, may have more fields that need not be given; its words are not compared.

    :raises ArtefactCorrupt: naming what differs.
    """
    made = manifest.task
    is_older = not made.distribution or manifest.written_by != __version__ or not _is_version(made.version, function.task)
    derived = json.loads(json.dumps(function.signature))
    place = next(_of_signature(manifest.signature, derived, is_older), "")
    if place:
        do = "get a fresh copy."
        if is_older:
            by = f"{made.distribution} {made.version} and " if made.distribution else ""
            do = f"get a fresh copy; or build it again: it was made with {by}functory {manifest.written_by}."
        raise _refused(folder, f"{place} of the signature is not what task {function.task.name!r} and its state give", do)
    if isinstance(record, TorchRecord) and isinstance(function.form, TorchForm):
        _check_backbone(folder, record, function.form)
    _check_licences(folder, manifest, record, function)
    report = function.report
    if report is not None and _plain(manifest.metrics) != _plain(report.metrics):
        raise _refused(folder, f"the metrics are not those of {REPORT}")


def _check_backbone(folder: Path, record: TorchRecord, form: TorchForm) -> None:
    """Compare the facts of the backbone, and the form's name.

    :raises ArtefactCorrupt: naming the first that differs.
    """
    if label(record) != form.name:
        raise _refused(folder, f"the form is called {label(record)!r} and is {form.name!r}")
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


def _of_signature(kept: Mapping[str, Any], derived: Mapping[str, Any], is_older: bool) -> Iterator[str]:
    """Give the places where a signature says what the derived one does not.

    :param is_older: whether it was written by another version, so that there may be more fields now.
    """
    yield from sorted(kept.keys() ^ derived.keys())
    for side in ("input", "output"):
        yield from _of_schema(kept.get(side), derived[side], side, is_older)
    names, own = kept.get("shorthand"), derived["shorthand"]
    if names != (own[: len(names)] if is_older and isinstance(names, list) else own):
        yield "shorthand"
    told = kept.get("parameters")
    if not isinstance(told, dict) or told.keys() != kept["input"].get("properties", {}).keys():
        yield "parameters"


def _of_schema(kept: Any, derived: Any, place: str, is_older: bool) -> Iterator[str]:  # Any: a part of a JSON Schema
    """Give the places where a schema differs from the derived one, but for what it tells people."""
    if isinstance(kept, dict) and isinstance(derived, dict):
        prose = PROSE if "properties" in derived else (*PROSE, "title")  # an object's title is the name of its type
        for key in sorted((kept.keys() | derived.keys()) - set(prose)):
            yield from _of_key(key, kept, derived, f"{place}.{key}", is_older)
    elif isinstance(kept, list) and isinstance(derived, list) and len(kept) == len(derived):
        for number, (one, other) in enumerate(zip(kept, derived, strict=True)):
            yield from _of_schema(one, other, f"{place}.{number}", is_older)
    elif type(kept) is not type(derived) or kept != derived:
        yield place


def _of_key(key: str, kept: dict[str, Any], derived: dict[str, Any], place: str, is_older: bool) -> Iterator[str]:
    """Give the places where one key of a schema differs."""
    if key in NAMED:
        ones, others = kept.get(key, {}), derived.get(key, {})
        if not isinstance(ones, dict):
            yield place
            return
        for name in sorted(ones.keys() | others.keys()):
            if name in ones and name in others:
                yield from _of_schema(ones[name], others[name], f"{place}.{name}", is_older)
            elif not is_older or name not in others or name in derived.get("required", ()):
                yield f"{place}.{name}"
    elif key == "additionalProperties" and {str(one.get(key, True)) for one in (kept, derived)} == {"True"}:
        return  # said or not, it means the same
    elif key in kept and key in derived:
        yield from _of_schema(kept[key], derived[key], place, is_older)
    else:
        yield place


def _is_version(version: str, component: object) -> bool:
    """Whether a component is of the version that the manifest keeps."""
    entry = origin(component)
    return version == (entry.version if entry else "")


def _plain(metrics: Mapping[str, Metric]) -> dict[str, str]:
    """Return metrics as texts, which compare what is not a number too."""
    return {name: metric.model_dump_json() for name, metric in metrics.items()}


def _refused(folder: Path, what: str, do: str = "get a fresh copy.") -> ArtefactCorrupt:
    return ArtefactCorrupt(f"{MANIFEST} says what its parts do not: {what}.", where=str(folder), do=do)
