"""Checks a folder without running anything in it: manifest, format, each member's size and hash, nothing besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from functory.artefact.manifest import Manifest
from functory.artefact.members import DIGEST, MANIFEST
from functory.artefact.sealing import unseal
from functory.errors import ArtefactCorrupt, ArtefactUnsafe
from functory.machine.boundary import FRESH, reading
from functory.machine.folders import files_of, sha256
from functory.wording.harmless import in_one_line

PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".bin.index", ".joblib", ".ckpt")


def check(folder: Path, *, sha256: str = "", largest: int | None = None) -> Manifest:
    """Check a folder without running it: digest, manifest, format, every member's size and hash, nothing besides.

    :param sha256: the digest that it must have; any when empty.
    :param largest: bytes of the largest member that is hashed, for a glance; all are when None.
    :raises ArtefactError: naming the member and the remedy.
    """
    manifest = read_manifest(folder, sha256)
    found = files_of(folder)
    for name in (MANIFEST, DIGEST):
        found.pop(name, None)
    for path in found:
        if path.lower().endswith(PICKLES):
            raise ArtefactUnsafe(
                f"{in_one_line(path)} may hold a pickle, which is never read.",
                where=str(folder),
                do="get a fresh copy from its maker.",
            )
    _compare(folder, manifest, found, largest)
    return manifest


def _compare(folder: Path, manifest: Manifest, found: Mapping[str, Path], largest: int | None) -> None:
    """Compare the files with the members: none lacking, none besides, each with its size and hash."""
    for path, member in manifest.members.items():
        if path not in found:
            raise ArtefactCorrupt(f"{in_one_line(path)} is missing.", where=str(folder), do=FRESH)
        size = found[path].stat().st_size
        if size != member.size:
            raise ArtefactCorrupt(
                f"{in_one_line(path)} has {size} bytes; the manifest says {member.size}.", where=str(folder), do=FRESH
            )
        if largest is not None and size > largest:
            continue
        digest = sha256(found[path])
        if digest != member.sha256:
            raise ArtefactCorrupt(
                f"{in_one_line(path)} was changed: its sha256 is {digest[:16]}…, the manifest says {member.sha256[:16]}….",
                where=str(folder),
                do=FRESH,
            )
    extra = sorted(found.keys() - manifest.members.keys())
    if extra:
        raise ArtefactCorrupt(
            f"{in_one_line(extra[0])} is not in the manifest.", where=str(folder), do="remove it, or get a fresh copy."
        )


def read_manifest(folder: Path, sha256: str = "") -> Manifest:
    """Return a folder's manifest.

    :param sha256: the digest that it must have; any when empty.
    :raises ArtefactError: when there is none, or it is not sound.
    """
    file = folder / MANIFEST
    data, digest = unseal(folder, sha256)
    with reading(MANIFEST, folder):
        manifest = Manifest.of(data, digest)
        _check_safe(manifest, file)
    return manifest


def _check_safe(manifest: Manifest, file: Path) -> None:
    """Refuse a manifest that names a component in a file."""
    for _, name in named_components(manifest):
        if ".py:" in name or "/" in name:
            raise ArtefactUnsafe(
                f"the manifest names a component in a file: {name!r}.",
                where=str(file),
                do="make it a plugin (functory new plugin), build again, and save.",
            )


def manifests(folder: Path, manifest: Manifest) -> Iterator[Manifest]:
    """Give a function's manifest, and those of its parts, of theirs and so on.

    :raises ArtefactError: when a part's is not sound.
    """
    yield manifest
    for form in manifest.forms:
        for place in form.places().values():
            yield from manifests(folder / place, read_manifest(folder / place))


def named_components(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Give kind and name of every component that a manifest names, but for backbones, which may be folders."""
    yield "tasks", manifest.task.name
    for form in manifest.forms:
        yield from ((kind, kept.name) for kind, kept in form.components() if kind != "backbones")
