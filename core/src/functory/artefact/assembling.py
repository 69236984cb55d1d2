"""Puts a function together from the records and files of a folder that was checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory.artefact.backbones import fitted
from functory.artefact.checking import check, read_manifest
from functory.artefact.deriving import check_derived
from functory.artefact.manifest import CompositeRecord, EngineRecord, FormRecord, Kept, Manifest, TorchRecord, label
from functory.artefact.members import GOLDEN, MANIFEST, REPORT, WEIGHTS
from functory.contracts.engine import SessionOptions
from functory.contracts.putting import formulated
from functory.contracts.rows import Port, Program
from functory.errors import ArtefactError, FunctoryError, NotSupported
from functory.machine.boundary import Source, corrupt, reading
from functory.machine.members import read_json, read_text
from functory.plugins.claims import reference_to
from functory.reading.ngrams import NGRAMS
from functory.reading.tokenizer import Tokenizer
from functory.running.backbones import AS_RECORDED, Whereabouts
from functory.running.forms import CompositeForm, EngineForm, Form, TorchForm, torch_form
from functory.running.golden import Golden

if TYPE_CHECKING:
    from functory.function import Function
    from functory.measuring.report import Report


def read(
    folder: Path,
    manifest: Manifest | None = None,
    *,
    form: str | None = None,
    session: SessionOptions | None = None,
    whereabouts: Whereabouts = AS_RECORDED,
) -> Function:
    """Assemble a function from a folder that was checked.

    With several forms, the first whose parts are installed is taken.

    :param whereabouts: where its backbones may be looked for.
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
            return assemble(folder, manifest, record, session or SessionOptions(), whereabouts)
        except ArtefactError:
            raise
        except FunctoryError as error:
            trouble = trouble or error
    raise trouble or NotSupported("none of its forms can run here.", where=str(folder), do="run `functory doctor`.")


def assemble(
    folder: Path,
    manifest: Manifest,
    record: FormRecord,
    session: SessionOptions,
    whereabouts: Whereabouts = AS_RECORDED,
) -> Function:
    """Return the function that one record describes.

    :param whereabouts: where its backbone may be looked for.
    :raises ArtefactCorrupt: when what lies in the folder makes none, or is not what the manifest says.
    """
    with reading("the function", folder):
        function = _assembled(folder, manifest, record, session, whereabouts)
        check_derived(folder, manifest, record, function)
        return function


def _assembled(
    folder: Path, manifest: Manifest, record: FormRecord, session: SessionOptions, whereabouts: Whereabouts
) -> Function:
    from functory.function import Function
    from functory.running.about import About

    task = _component("tasks", manifest.task, folder)
    with reading(MANIFEST, folder):
        state = task.State.model_validate(manifest.state)
    about = About(
        **{
            name: getattr(manifest, name)
            for name in (
                "name", "version", "licence", "licences", "long_text", "max_tokens", "recipe", "data", "versions",
                "notes", "tried", "optimization",
            )
        },
        metrics={name: metric.model_dump(mode="json") for name, metric in manifest.metrics.items()},
    )  # fmt: skip
    form = _read_form(folder, record, task, state, session, whereabouts)
    golden, report = read_golden(folder), read_report(folder)
    return Function(task, state, form, about, golden=golden, session=session, report=report)


def read_golden(folder: Path) -> list[Golden]:
    """Return the golden examples that were saved with a function.

    :raises ArtefactCorrupt: when a line is none.
    """
    with reading(GOLDEN, folder):
        text = read_text(folder / GOLDEN) if (folder / GOLDEN).is_file() else ""
    found = []
    for number, line in enumerate(text.split("\n"), 1):  # a text in it may hold what Python takes for the end of a line
        if line:
            with reading(f"{GOLDEN}, line {number}", folder):
                found.append(Golden.read(line))
    return found


def read_report(folder: Path) -> Report | None:
    """Return the report that was saved with a function; None where it was not evaluated.

    :raises ArtefactCorrupt: when it is none.
    """
    from functory.measuring.report import Report

    with reading(REPORT, folder):
        file = folder / REPORT
        return Report.model_validate(read_json(file)) if file.is_file() else None


def _component(kind: str, kept: Kept, folder: Path) -> Any:  # Any: a component of that kind
    """Return a component as the function was made with it: of the distribution that it came with, whoever else has the name."""
    from functory.plugins.registry import load

    where = str(folder / MANIFEST)
    with reading(MANIFEST, folder):
        found = load(kind, reference_to(kind, kept.name, kept.distribution, where=where), where=where)
        return found.configure(kept.options)


def _read_form(
    folder: Path, record: FormRecord, task: Any, state: Any, session: SessionOptions, whereabouts: Whereabouts
) -> Form:
    if isinstance(record, CompositeRecord):
        return _read_composite(folder, record, task, session, whereabouts)
    engine = _component("engines", record.engine, folder)
    if isinstance(record, TorchRecord):
        return _read_torch(folder, record, engine, task, state, whereabouts)
    return _read_engine(folder, record, engine, task, state)


def _read_composite(
    folder: Path, record: CompositeRecord, task: Any, session: SessionOptions, whereabouts: Whereabouts
) -> CompositeForm:
    """Return the parts, which must be those that the task is made of.

    :raises ArtefactCorrupt: when they are others.
    """
    if record.parts.keys() != task.parts.keys():
        wants, has = (", ".join(names) or "none" for names in (task.parts, record.parts))
        raise corrupt(f"task {task.name!r} is made of {wants}; {MANIFEST} gives the parts {has}")
    parts = {}
    for name, place in record.parts.items():
        with reading(f"{place}/", folder):
            parts[name] = part = read(folder / place, check(folder / place), session=session, whereabouts=whereabouts)
        if task.parts[name] and part.task.name != task.parts[name]:
            raise corrupt(f"part {name!r} must do {task.parts[name]}; {place} does {part.task.name}")
    return CompositeForm(parts, record.tolerance)


def _read_engine(folder: Path, record: EngineRecord, engine: Any, task: Any, state: Any) -> EngineForm:
    place = folder / record.folder
    with reading(MANIFEST, folder):
        formulation = formulated(task, record.spec, record.formulation)
        program = Program.from_json(record.program, place)
        given = (*record.spec.ports(formulation.texts), *formulation.inputs(record.spec, state), *NGRAMS)
        _check_ports(program, given, formulation.outputs(record.spec, state))
        options = SessionOptions(threads=record.threads, budget=record.budget)
    with reading(f"{record.folder}/tokenizer.json", folder):
        tokenizer = Tokenizer(read_text(place / "tokenizer.json"))
    return EngineForm(
        engine=engine,
        spec=record.spec,
        put=record.formulation,
        formulation=formulation,
        program=program,
        tokenizer=tokenizer,
        tolerance=record.tolerance,
        options=options,
        probed_on=record.probed_on,
        source=Source(record.folder, folder, f"engine {engine.name!r}{_made_by(engine)}"),
    )


def _check_ports(program: Program, given: Sequence[Port], wanted: Sequence[Port]) -> None:
    """Check that a program reads nothing but what the task gives it, and gives all that the task reads.

    :raises ArtefactCorrupt: naming the port.
    """
    known = {port.name: port for port in given}
    for port in program.inputs:
        if port.name not in known or (port.dtype, port.axes) != (known[port.name].dtype, known[port.name].axes):
            raise corrupt(f"the program reads {_told(port)}; it is given {', '.join(map(_told, given))}")
    written = {port.name: port for port in program.outputs}
    for port in wanted:
        if port.name not in written or written[port.name].axes != port.axes:
            raise corrupt(f"the task reads {_told(port)}; the program gives {', '.join(map(_told, program.outputs))}")


def _told(port: Port) -> str:
    return f"{port.name!r} {port.dtype} ({', '.join(map(str, port.axes))})"


def _made_by(component: Any) -> str:
    """Return which distribution, in which version, gave a component: who is asked when a fresh copy cannot be read."""
    from functory.plugins.registry import origin

    entry = origin(component)
    return f" ({entry.distribution} {entry.version})" if entry is not None and entry.distribution else ""


def _read_torch(
    folder: Path, record: TorchRecord, engine: Any, task: Any, state: Any, whereabouts: Whereabouts
) -> TorchForm:
    from safetensors.numpy import load_file

    from functory.steps import Steps

    with reading(f"backbone {record.backbone.name!r}", folder):
        backbone = fitted(record, folder, whereabouts)
    adaptation = _component("adaptations", record.adaptation, folder)
    with reading(MANIFEST, folder):
        formulation = formulated(task, backbone.spec, record.formulation)
        model = Steps().adapt(
            engine=engine, backbone=backbone, task=task, formulation=formulation, state=state, adaptation=adaptation, seed=0
        )
        form = torch_form(engine, backbone, adaptation, record.formulation, formulation, state, model)
    if record.has_phi != (folder / WEIGHTS).is_file():
        there = "is missing" if record.has_phi else f"is there, and {MANIFEST} says that there is no φ"
        raise corrupt(f"{WEIGHTS} {there}")
    if record.has_phi:
        with reading(WEIGHTS, folder):
            engine.load_phi(model, load_file(folder / WEIGHTS))
    form.tolerance = record.tolerance
    return form
