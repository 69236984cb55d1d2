"""The artefact: a function as a folder. Written whole, checked whole, and never a pickle.

sentiment/
function.json         the manifest
weights.safetensors   φ, where there is one
golden.jsonl          inputs with this function's outputs
README.md             the function card
engines/<name>/       engine forms
parts/<name>/         whole artefacts, for a composite
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from functory.contracts.engine import SessionOptions
from functory.contracts.rows import Program
from functory.errors import (
    ArtefactCorrupt,
    ArtefactError,
    ArtefactUnsafe,
    ArtefactVersion,
    FunctoryError,
    NotSupported,
    UsageError,
)
from functory.folders import files_of, sha256, written_whole
from functory.forms import CompositeForm, EngineForm, Form, TorchForm, torch_form
from functory.golden import Golden, replay
from functory.manifest import (
    FORMAT,
    CompositeRecord,
    EngineRecord,
    FormRecord,
    Manifest,
    Member,
    Named,
    TorchRecord,
    check_inside,
)
from functory.reading import Tokenizer

if TYPE_CHECKING:
    from functory.function import Function

MANIFEST, WEIGHTS, GOLDEN, CARD = "function.json", "weights.safetensors", "golden.jsonl", "README.md"
PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".bin.index", ".joblib", ".ckpt")


# -- writing --------------------------------------------------------------------------------------------


def save(function: Function, folder: Path) -> Path:
    """Write a function; replay its golden examples from what was written; then put it in place.

    :raises GoldenMismatch: when the written function is not the one in memory; nothing is left behind.
    :raises ArtefactError: when the folder holds something that is no function, and so is not ours to replace.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise ArtefactError(
            "the folder holds something that is no function, and is left as it is.",
            where=str(folder),
            do="name a new folder, or empty this one.",
        )
    with written_whole(folder) as made:
        write(function, made)
        again = read(made, session=function.session_options)
        replay(again, function.golden, function.form.tolerance, where=f"{folder}, just written")
        again.close()
    return folder


def write(function: Function, folder: Path) -> None:
    """Write a function's files, the manifest last."""
    from functory.card import card

    record = _write_form(function.form, folder)
    if function.golden:
        (folder / GOLDEN).write_text("".join(one.line() + "\n" for one in function.golden), encoding="utf-8")
    about = function.about
    manifest = Manifest(
        name=about.name,
        version=about.version,
        licence=about.licence,
        licences=about.licences,
        task=Named(name=function.task.name, options=function.task.options.model_dump(mode="json", exclude_unset=True)),
        state=function.state.model_dump(mode="json"),
        signature=function.signature,
        forms=(record,),
        long_text=about.long_text,
        max_tokens=about.max_tokens,
        recipe=about.recipe,
        data=about.data,
        versions=about.versions,
        metrics=about.metrics,
        notes=about.notes,
        optimization=about.optimization,
    )
    (folder / CARD).write_text(card(manifest), encoding="utf-8")
    members = {path: Member(sha256=sha256(file), size=file.stat().st_size) for path, file in files_of(folder).items()}
    text = manifest.model_copy(update={"members": members}).model_dump_json(indent=2)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


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
        engine=Named(name=form.engine.name, options=_options(form.engine)),
        backbone=Named(name=form.backbone.reference, options=_options(form.backbone)),
        spec=form.spec,
        adaptation=Named(name=form.adaptation.name, options=_options(form.adaptation)),
        program=form.program.as_json(),
        has_phi=bool(phi),
        tolerance=form.tolerance,
    )


def _write_engine(form: EngineForm, folder: Path) -> EngineRecord:
    import shutil

    place = f"engines/{form.engine.name}-{form.program.precision}"
    made = _made(folder / place)
    for path, file in files_of(form.folder).items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, made / path)
    (made / "tokenizer.json").write_text(form.tokenizer.json, encoding="utf-8")
    return EngineRecord(
        engine=Named(name=form.engine.name, options=_options(form.engine)),
        folder=place,
        spec=form.spec,
        learning=form.learning,
        program=form.program.as_json(),
        threads=form.options.threads,
        budget=form.options.budget,
        probed_on=form.probed_on,
        tolerance=form.tolerance,
    )


def _options(component: Any) -> dict[str, Any]:
    data: dict[str, Any] = component.options.model_dump(mode="json", exclude_unset=True)
    return data


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# -- checking -------------------------------------------------------------------------------------------


def check(folder: Path) -> Manifest:
    """Check a folder without running it: manifest, format, every member's size and hash, nothing besides.

    :raises ArtefactError: naming the member and the remedy.
    """
    manifest = read_manifest(folder)
    try:
        found = files_of(folder)
    except ValueError as error:
        raise ArtefactUnsafe(
            f"{error}.", where=str(folder), do="artefacts hold plain files only; get a fresh copy."
        ) from error
    found.pop(MANIFEST, None)
    for path in found:
        if path.lower().endswith(PICKLES):
            raise ArtefactUnsafe(
                f"{path} may hold a pickle, which is never read.",
                where=str(folder),
                do="get a fresh copy from its maker.",
            )
    _compare(folder, manifest, found)
    return manifest


def _compare(folder: Path, manifest: Manifest, found: Mapping[str, Path]) -> None:
    """Compare the files with the members: none lacking, none besides, each with its size and hash."""
    fresh = "get a fresh copy: copy the folder again, or build the function again."
    for path, member in manifest.members.items():
        if path not in found:
            raise ArtefactCorrupt(f"{path} is missing.", where=str(folder), do=fresh)
        size = found[path].stat().st_size
        if size != member.size:
            raise ArtefactCorrupt(
                f"{path} has {size} bytes; the manifest says {member.size}.", where=str(folder), do=fresh
            )
        digest = sha256(found[path])
        if digest != member.sha256:
            raise ArtefactCorrupt(
                f"{path} was changed: its sha256 is {digest[:16]}…, the manifest says {member.sha256[:16]}….",
                where=str(folder),
                do=fresh,
            )
    extra = sorted(found.keys() - manifest.members.keys())
    if extra:
        raise ArtefactCorrupt(
            f"{extra[0]} is not in the manifest.", where=str(folder), do="remove it, or get a fresh copy."
        )


def read_manifest(folder: Path) -> Manifest:
    """Return a folder's manifest.

    :raises ArtefactError: when there is none, or it is not sound.
    """
    file = folder / MANIFEST
    if not file.is_file():
        near = "" if folder.exists() else " There is no such folder."
        raise ArtefactError(
            f"no function lies here: {MANIFEST} is missing.{near}",
            where=str(folder),
            do="name the folder that `save` wrote.",
        )
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ArtefactCorrupt(f"{MANIFEST} is no JSON: {error}", where=str(file), do="get a fresh copy.") from error
    version = data.get("format") if isinstance(data, dict) else None
    if version != FORMAT:
        raise ArtefactVersion(
            f"the function has format {version!r}; this functory reads {FORMAT}.",
            where=str(file),
            do="install a functory that reads it (pip install -U functory), or build it again.",
        )
    try:
        manifest = Manifest.model_validate(data)
    except ValidationError as error:
        fault = error.errors()[0]
        kind = ArtefactUnsafe if "leaves the folder" in fault["msg"] else ArtefactCorrupt
        place = ".".join(map(str, fault["loc"]))
        raise kind(
            f"{MANIFEST}: {place}: {fault['msg']}.", where=str(file), do="get a fresh copy from its maker."
        ) from error
    _check_safe(manifest, file)
    return manifest


def _check_safe(manifest: Manifest, file: Path) -> None:
    """Refuse a manifest that names a component in a file, or a folder elsewhere."""
    for form in manifest.forms:
        folders = [form.folder] if isinstance(form, EngineRecord) else []
        if isinstance(form, CompositeRecord):
            folders = list(form.parts.values())
        for folder in folders:
            try:
                check_inside(folder)
            except ValueError as error:
                raise ArtefactUnsafe(f"{error}.", where=str(file), do="get a fresh copy from its maker.") from error
    for _, name in _components(manifest):
        if ".py:" in name or "/" in name:
            raise ArtefactUnsafe(
                f"the manifest names a component in a file: {name!r}.",
                where=str(file),
                do="make it a plugin (functory new plugin), build again, and save.",
            )


def _components(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Give kind and name of every component that a manifest names, but for backbones, which may be folders."""
    yield "tasks", manifest.task.name
    for form in manifest.forms:
        if isinstance(form, CompositeRecord):
            continue
        yield "engines", form.engine.name
        if isinstance(form, TorchRecord):
            yield "adaptations", form.adaptation.name


def _bring(folder: Path, manifest: Manifest, files: Sequence[str]) -> None:
    """Import the files that the user names for components that were in a file when the function was built.

    :raises UsageError: when one is no such reference, or the function needs no such component.
    """
    from functory.plugins import FROM_FILE, is_file, load_file
    from functory.references import split_file

    wanted = {name.removeprefix(FROM_FILE): kind for kind, name in _everywhere(folder, manifest)
              if name.startswith(FROM_FILE)}  # fmt: skip
    for reference in files:
        attribute = split_file(reference)[1] if is_file(reference) else ""
        if attribute not in wanted:
            raise UsageError(
                f"the function needs no component {attribute or reference!r} from a file.",
                where=str(folder),
                do="it needs " + (", ".join(f"./file.py:{name}" for name in wanted) or "none") + ".",
            )
        load_file(reference, wanted[attribute])


def _everywhere(folder: Path, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Give the components of a function and of its parts."""
    yield from _components(manifest)
    for form in manifest.forms:
        for place in form.parts.values() if isinstance(form, CompositeRecord) else ():
            yield from _everywhere(folder / place, read_manifest(folder / place))


# -- reading --------------------------------------------------------------------------------------------


def open_artefact(
    reference: Path | str,
    *,
    form: str | None = None,
    session: SessionOptions | None = None,
    components: Sequence[str] = (),
) -> Function:
    """Load a function from a folder, or by the name of an installed one; check it, and replay it where it is new here.

    :param form: ``engine precision`` of the form to take; the fastest that runs here when None.
    :param components: ``./my_task.py:MyTask`` for each component that was in a file when the function was built.
    """
    from functory.choosing import fastest
    from functory.installed import artefact_of
    from functory.replays import is_remembered, remember

    folder = artefact_of(reference)
    manifest = check(folder)
    _bring(folder, manifest, components)
    form = form or fastest(folder, manifest, session or SessionOptions())
    function = read(folder, manifest, form=form, session=session)
    if function.golden and not is_remembered(folder, function):
        replay(function, function.golden, function.form.tolerance, where=str(folder))
        remember(folder, function)
    return function


def verify(reference: Path | str, *, components: Sequence[str] = ()) -> Manifest:
    """Check an artefact and replay its golden examples in every form that can run here, whatever is remembered.

    :param components: as `open_artefact` takes them.
    :raises ArtefactError: naming what differs.
    """
    from functory.installed import artefact_of

    folder = artefact_of(reference)
    manifest = check(folder)
    _bring(folder, manifest, components)
    ran = 0
    trouble: FunctoryError | None = None
    for record in manifest.forms:
        try:
            function = _assemble(folder, manifest, record, SessionOptions())
        except (NotSupported, FunctoryError) as error:
            if isinstance(error, ArtefactError):
                raise
            trouble = error
            continue
        replay(function, function.golden, function.form.tolerance, where=str(folder))
        function.close()
        ran += 1
    if not ran and trouble is not None:
        raise trouble
    return manifest


def read(
    folder: Path, manifest: Manifest | None = None, *, form: str | None = None, session: SessionOptions | None = None
) -> Function:
    """Assemble a function from a folder that was checked.

    With several forms, the first whose parts are installed is taken.
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
            return _assemble(folder, manifest, record, session or SessionOptions())
        except ArtefactError:
            raise
        except FunctoryError as error:
            trouble = trouble or error
    assert trouble is not None
    raise trouble


def label(record: FormRecord) -> str:
    """Return what a form is called: ``openvino int8``."""
    if isinstance(record, CompositeRecord):
        return "composite"
    return f"{record.engine.name} {record.program['precision']}"


def _assemble(folder: Path, manifest: Manifest, record: FormRecord, session: SessionOptions) -> Function:
    """Return the function that one record describes."""
    from functory.function import About, Function
    from functory.plugins import load

    task = load("tasks", manifest.task.name, where=str(folder / MANIFEST)).configure(manifest.task.options)
    state = task.State.model_validate(manifest.state)
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
    return Function(task, state, form, about, golden=[Golden.read(line) for line in lines], session=session)


def _read_form(folder: Path, record: FormRecord, task: Any, state: Any) -> Form:
    if isinstance(record, CompositeRecord):
        parts = {name: read(folder / place, check(folder / place)) for name, place in record.parts.items()}
        return CompositeForm(parts, record.tolerance)
    from functory.plugins import load

    where = str(folder / MANIFEST)
    engine = load("engines", record.engine.name, where=where).configure(record.engine.options)
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

    from functory.plugins import load
    from functory.steps import Steps

    steps = Steps()
    backbone = steps.load_backbone(reference=record.backbone.name, options=record.backbone.options)
    if backbone.spec.weights_hash != record.spec.weights_hash:
        raise ArtefactCorrupt(
            f"φ was fitted to weights {record.spec.weights_hash[:16]}…; backbone {record.backbone.name!r} here has "
            f"{backbone.spec.weights_hash[:16]}….",
            where=str(folder / MANIFEST),
            do="install the version of the backbone's weights that the manifest names, or build the function again.",
        )
    adaptation = load("adaptations", record.adaptation.name).configure(record.adaptation.options)
    model = steps.adapt(engine=engine, backbone=backbone, task=task, state=state, adaptation=adaptation)
    if record.has_phi:
        engine.load_phi(model, load_file(folder / WEIGHTS))
    form = torch_form(engine, backbone, adaptation, task, state, model)
    form.tolerance = record.tolerance
    return form
