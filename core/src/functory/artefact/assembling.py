"""Puts a function together from the records and files of a folder that was checked."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory.artefact.backbones import fitted
from functory.artefact.checking import check, read_manifest
from functory.artefact.deriving import check_derived
from functory.artefact.manifest import Manifest
from functory.artefact.members import GOLDEN, MANIFEST, REPORT
from functory.contracts.engine import SessionOptions
from functory.errors import ArtefactError, FunctoryError, NotSupported
from functory.machine.boundary import reading
from functory.machine.members import read_json, read_text
from functory.plugins.claims import reference_to
from functory.running.backbones import AS_RECORDED, Whereabouts
from functory.running.forms import FormRecord, Kept
from functory.running.golden import Golden

if TYPE_CHECKING:
    from functory.contracts.backbone import Backbone
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
    records = [record for record in manifest.forms if form is None or record.label == form]
    if not records:
        raise NotSupported(
            f"there is no form {form!r}.", where=str(folder), do=f"its forms: {', '.join(one.label for one in manifest.forms)}."
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
    form = record.read(_Place(folder, task, state, session, whereabouts))
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


@dataclass(slots=True)
class _Place:
    """The folder that a function is read from, as its form's record meets it."""

    folder: Path
    task: Any
    state: Any
    session: SessionOptions
    whereabouts: Whereabouts

    def within(self, member: str = "") -> AbstractContextManager[None]:
        return reading(member or MANIFEST, self.folder)

    def component(self, kind: str, kept: Kept) -> Any:
        return _component(kind, kept, self.folder)

    def backbone(self, kept: Kept, weights_hash: str) -> Backbone[Any]:
        found: Backbone[Any] = fitted(kept, weights_hash, self.folder, self.whereabouts)
        return found

    def part(self, place: str) -> Function:
        folder = self.folder / place
        return read(folder, check(folder), session=self.session, whereabouts=self.whereabouts)

    def adapted(self, engine: Any, backbone: Any, formulation: Any, adaptation: Any) -> Any:
        from functory.steps import Steps

        return Steps().adapt(
            engine=engine, backbone=backbone, task=self.task, formulation=formulation, state=self.state, adaptation=adaptation,
            seed=0,
        )  # fmt: skip


def _component(kind: str, kept: Kept, folder: Path) -> Any:  # Any: a component of that kind
    """Return a component as the function was made with it: of the distribution that it came with, whoever else has the name."""
    from functory.plugins.registry import load

    where = str(folder / MANIFEST)
    with reading(MANIFEST, folder):
        found = load(kind, reference_to(kind, kept.name, kept.distribution, where=where), where=where)
        return found.configure(kept.options)
