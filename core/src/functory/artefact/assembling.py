"""Puts a function together from the records and files of a folder that was checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from functory.artefact.checking import check, read_manifest
from functory.artefact.manifest import CompositeRecord, FormRecord, Kept, Manifest, TorchRecord
from functory.artefact.members import GOLDEN, MANIFEST, REPORT, WEIGHTS
from functory.contracts.component import complaint
from functory.contracts.engine import SessionOptions
from functory.contracts.rows import Program
from functory.errors import ArtefactCorrupt, ArtefactError, FunctoryError, NotSupported
from functory.plugins.claims import reference_to
from functory.reading.tokenizer import Tokenizer
from functory.running.forms import CompositeForm, EngineForm, Form, TorchForm, torch_form
from functory.running.golden import Golden

if TYPE_CHECKING:
    from functory.function import Function
    from functory.measuring.report import Report


def read(
    folder: Path, manifest: Manifest | None = None, *, form: str | None = None, session: SessionOptions | None = None
) -> Function:
    """Assemble a function from a folder that was checked.

    With several forms, the first whose parts are installed is taken.

    :raises NotSupported: when there is no such form.
    :raises FunctoryError: the first form's own trouble, when none can be put together here.
    """
    manifest = manifest or read_manifest(folder)
    records = [record for record in manifest.forms if form is None or label(record) == form]
    if not records:
        raise NotSupported(
            f"there is no form {form!r}.", where=str(folder), do=f"its forms: {', '.join(map(label, manifest.forms))}."
        )
    trouble: FunctoryError | None = None
    for record in records:
        try:
            return assemble(folder, manifest, record, session or SessionOptions())
        except ArtefactError:
            raise
        except FunctoryError as error:
            trouble = trouble or error
    raise trouble or NotSupported("none of its forms can run here.", where=str(folder), do="run `functory doctor`.")


def label(record: FormRecord) -> str:
    """Return what a form is called: ``openvino int8``."""
    if isinstance(record, CompositeRecord):
        return "composite"
    return f"{record.engine.name} {record.program['precision']}"


def assemble(folder: Path, manifest: Manifest, record: FormRecord, session: SessionOptions) -> Function:
    """Return the function that one record describes."""
    from functory.function import Function
    from functory.running.about import About

    task = _component("tasks", manifest.task, folder)
    state = _state(task, manifest, folder)
    golden = folder / GOLDEN
    lines = golden.read_text(encoding="utf-8").splitlines() if golden.is_file() else []
    about = About(
        **{
            name: getattr(manifest, name)
            for name in (
                "name", "version", "licence", "licences", "long_text", "max_tokens", "recipe", "data", "versions",
                "metrics", "notes", "optimization",
            )
        }
    )  # fmt: skip
    form = _read_form(folder, record, task, state)
    report = read_report(folder)
    replayed = [Golden.read(line) for line in lines]
    return Function(task, state, form, about, golden=replayed, session=session, report=report)


def read_report(folder: Path) -> Report | None:
    """Return the report that was saved with a function; None where it was not evaluated.

    :raises ArtefactCorrupt: when it is no report.
    """
    from functory.measuring.report import Report

    file = folder / REPORT
    if not file.is_file():
        return None
    try:
        return Report.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise ArtefactCorrupt(
            f"{REPORT} is no report: {complaint(error)}.",
            where=str(file),
            do="evaluate the function and save it again, or get a fresh copy.",
        ) from None


def _state(task: Any, manifest: Manifest, folder: Path) -> Any:
    """Return what the task learned.

    :raises ArtefactCorrupt: when it is no state of the installed task.
    """
    try:
        return task.State.model_validate(manifest.state)
    except ValidationError as error:
        raise ArtefactCorrupt(
            f"{MANIFEST} holds no state of {task.name!r}: {complaint(error)}.",
            where=str(folder / MANIFEST),
            do="install the version of the task that the function was made with, or build it again.",
        ) from None


def _component(kind: str, kept: Kept, folder: Path) -> Any:  # Any: a component of that kind
    """Return a component as the function was made with it: of the distribution that it came with, whoever else has the name."""
    from functory.plugins.registry import load

    where = str(folder / MANIFEST)
    return load(kind, reference_to(kind, kept.name, kept.distribution, where=where), where=where).configure(kept.options)


def _read_form(folder: Path, record: FormRecord, task: Any, state: Any) -> Form:
    if isinstance(record, CompositeRecord):
        parts = {name: read(folder / place, check(folder / place)) for name, place in record.parts.items()}
        return CompositeForm(parts, record.tolerance)
    engine = _component("engines", record.engine, folder)
    if isinstance(record, TorchRecord):
        return _read_torch(folder, record, engine, task, state)
    place = folder / record.folder
    return EngineForm(
        engine=engine,
        spec=record.spec,
        formulation=task.formulate(record.spec, record.learning),
        learning=record.learning,
        program=Program.from_json(record.program, place),
        tokenizer=Tokenizer(place / "tokenizer.json"),
        tolerance=record.tolerance,
        options=SessionOptions(threads=record.threads, budget=record.budget),
        probed_on=record.probed_on,
    )


def _read_torch(folder: Path, record: TorchRecord, engine: Any, task: Any, state: Any) -> TorchForm:
    from safetensors.numpy import load_file

    from functory.steps import Steps

    steps, kept = Steps(), record.backbone
    reference = reference_to("backbones", kept.name, kept.distribution, where=str(folder / MANIFEST))
    backbone = steps.load_backbone(reference=reference, options=kept.options)
    if backbone.spec.weights_hash != record.spec.weights_hash:
        raise ArtefactCorrupt(
            f"φ was fitted to weights {record.spec.weights_hash[:16]}…; backbone {record.backbone.name!r} here has "
            f"{backbone.spec.weights_hash[:16]}….",
            where=str(folder / MANIFEST),
            do="install the version of the backbone's weights that the manifest names, or build the function again.",
        )
    adaptation = _component("adaptations", record.adaptation, folder)
    model = steps.adapt(engine=engine, backbone=backbone, task=task, state=state, adaptation=adaptation)
    if record.has_phi:
        engine.load_phi(model, load_file(folder / WEIGHTS))
    form = torch_form(engine, backbone, adaptation, task, state, model)
    form.tolerance = record.tolerance
    return form
