"""Opens a function where it is to run: checked, in the form that is fastest here, and replayed where it is new."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from functory.artefact.assembling import assemble, read
from functory.artefact.backbones import check_named
from functory.artefact.checking import check, manifests, named_components
from functory.artefact.manifest import Manifest
from functory.artefact.members import GOLDEN
from functory.contracts.engine import SessionOptions
from functory.errors import ArtefactError, FunctoryError, UsageError
from functory.machine.boundary import corrupt, reading
from functory.machine.storage import refusals_told
from functory.running.backbones import AS_RECORDED, Whereabouts
from functory.running.golden import has_nan, replay
from functory.running.golden import record as recorded

if TYPE_CHECKING:
    from functory.function import Function


def open_artefact(
    reference: Path | str,
    *,
    form: str | None = None,
    session: SessionOptions | None = None,
    components: Sequence[str] = (),
    whereabouts: Whereabouts = AS_RECORDED,
    sha256: str = "",
) -> Function:
    """Load a function from a folder, or by the name of an installed one; check it, and replay it where it is new here.

    :param form: ``engine precision`` of the form to take; the fastest that runs here when None.
    :param components: ``./my_task.py:MyTask`` for each component that was in a file when the function was built.
    :param whereabouts: where its backbones may be looked for.
    :param sha256: the digest that it must have; any when empty.
    """
    from functory.artefact.reaching import check_elsewhere, reached, scheme_of

    if scheme_of(reference):
        own = session is not None and session != SessionOptions()
        said = {"form": form, "session": own, "components": components, "backbone": whereabouts != AS_RECORDED}
        check_elsewhere(str(reference), said)
        return reached(str(reference), {}, sha256)
    from functory.artefact.choosing import fastest
    from functory.artefact.installed import artefact_of
    from functory.running.replays import is_remembered, remember

    folder = artefact_of(reference)
    manifest = check(folder, sha256=sha256)
    _bring(folder, manifest, components)
    check_named(folder, manifest, whereabouts)
    with reading(GOLDEN, folder):
        form = form or fastest(folder, manifest, session or SessionOptions())
    function = read(folder, manifest, form=form, session=session, whereabouts=whereabouts)
    if not is_remembered(folder, function):
        prove(folder, function)
        remember(folder, function)
    function.sha256 = manifest.sha256
    return function


def prove(folder: Path, function: Function) -> None:
    """Let a function that was read show that it runs, and that it is the one that was saved.

    One without golden examples runs the inputs that its task makes for them: that it runs is all that can be shown.

    :raises GoldenMismatch: when it gives other outputs.
    :raises ArtefactCorrupt: when it does not run.
    """
    if function.golden:
        with reading(GOLDEN, folder):
            replay(function, function.golden, function.form.tolerance, where=str(folder))
    else:
        with reading("the function", folder):
            if has_nan(recorded(function)):
                raise corrupt("it gives NaN where a number should be")


@refusals_told
def verify(
    reference: Path | str,
    *,
    components: str | Sequence[str] = (),
    backbone: str | Sequence[str] = (),
    hubs: str | Sequence[str] = (),
    sha256: str = "",
) -> Manifest:
    """Check an artefact and replay its golden examples in every form that can run here, whatever is remembered.

    :param components: as `functory.load` takes them, and `backbone`, `hubs` and `sha256` too.
    :return: its manifest, whose `sha256` is the digest that covers every byte.
    :raises ArtefactError: naming what differs.
    """
    from functory.artefact.installed import artefact_of

    folder = artefact_of(reference)
    manifest = check(folder, sha256=sha256)
    whereabouts = Whereabouts(listed(backbone), listed(hubs))
    _bring(folder, manifest, listed(components))
    check_named(folder, manifest, whereabouts)
    ran = 0
    trouble: FunctoryError | None = None
    for record in manifest.forms:
        try:
            function = assemble(folder, manifest, record, SessionOptions(), whereabouts)
        except FunctoryError as error:
            if isinstance(error, ArtefactError):
                raise
            trouble = error
            continue
        prove(folder, function)
        function.close()
        ran += 1
    if not ran and trouble is not None:
        raise trouble
    return manifest


def listed(given: str | Sequence[str]) -> tuple[str, ...]:
    """Return one name, or several, as several."""
    return (given,) if isinstance(given, str) else tuple(given)


def digests(given: str | Sequence[str], count: int) -> list[str]:
    """Return the digest that each of several functions must have, in their order; empty texts where none is given.

    :raises UsageError: when there are more digests than functions.
    """
    found = listed(given)
    if len(found) > count:
        raise UsageError(
            f"{len(found)} digests are given for {count} function{'' if count == 1 else 's'}.",
            do="give each function's own, in the order of the functions.",
        )
    return [*found, *[""] * (count - len(found))]


def _bring(folder: Path, manifest: Manifest, files: Sequence[str]) -> None:
    """Import the files that the user names for components that were in a file when the function was built.

    :raises UsageError: when one is no such reference, or the function needs no such component.
    """
    from functory.plugins.references import split_file
    from functory.plugins.registry import FROM_FILE, is_file, load_file

    wanted = {name.removeprefix(FROM_FILE): kind for one in manifests(folder, manifest)
              for kind, name in named_components(one) if name.startswith(FROM_FILE)}  # fmt: skip
    for reference in files:
        attribute = split_file(reference)[1] if is_file(reference) else ""
        if attribute not in wanted:
            raise UsageError(
                f"the function needs no component {attribute or reference!r} from a file.",
                where=str(folder),
                do="it needs " + (", ".join(f"./file.py:{name}" for name in wanted) or "none") + ".",
            )
        load_file(reference, wanted[attribute])
