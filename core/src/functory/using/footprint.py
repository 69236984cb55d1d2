"""What a packaged function weighs where it is installed: the distributions that it asks for, and what those ask for.

Measured on what is installed here. Apart from packaging, since it reads the finished file alone, whoever wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, PathDistribution, distribution
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from zipfile import Path as ZipPath
from zipfile import ZipFile

from functory.machine.shield import shield

if TYPE_CHECKING:
    from packaging.requirements import Requirement


@dataclass(frozen=True)
class Footprint:
    """What a wheel carries, and what comes along with it.

    :param forms: of the function and of its parts: ``openvino int8``.
    :param requires: the distributions that it asks for itself.
    :param weights: those that carry its backbone's weights, which are installed apart.
    :param sizes: bytes of each distribution that comes along, as it is installed here.
    :param lacking: those that are not installed here, and so are not counted.
    """

    forms: tuple[str, ...]
    requires: tuple[str, ...]
    weights: tuple[str, ...]
    sizes: dict[str, int]
    lacking: tuple[str, ...]


def footprint(wheel: Path) -> Footprint:
    """Return what a function's wheel carries and what comes along with it, its extras left aside."""
    from packaging.utils import canonicalize_name

    shield()  # what is installed beside it may have broken metadata
    with ZipFile(wheel) as zipped:
        [information] = [path for path in ZipPath(zipped).iterdir() if path.name.endswith(".dist-info")]
        told = PathDistribution(information)
        lines, weights = told.requires or [], told.metadata.get_all("Requires-External") or []
        forms = dict.fromkeys(_forms(zipped))
    wanted = [one for one in _requirements(lines) if one.marker is None or one.marker.evaluate({"extra": ""})]
    sizes: dict[str, int] = {}
    lacking: set[str] = set()
    for name in closure(lines):
        try:
            sizes[name] = _size(distribution(name))
        except PackageNotFoundError:
            lacking.add(name)
    return Footprint(
        tuple(forms), tuple(sorted(canonicalize_name(one.name) for one in wanted)), tuple(weights), sizes, tuple(sorted(lacking))
    )


def _forms(zipped: ZipFile) -> Iterator[str]:
    """Give the forms of a function and of its parts, from their manifests.

    :raises ArtefactError: when one is not as it was written.
    """
    from functory.artefact.members import DIGEST, MANIFEST
    from functory.artefact.sealing import unsealed

    names = set(zipped.namelist())
    for path in sorted(names):
        folder, _, name = path.rpartition("/")
        if name == MANIFEST:
            beside = f"{folder}/{DIGEST}"
            digest = zipped.read(beside) if beside in names else None
            data, _ = unsealed(zipped.read(path), digest, f"{zipped.filename}: {folder}")
            for form in data["forms"]:
                if "engine" in form:
                    yield f"{form['engine']['name']} {form['program']['precision']}"


def closure(lines: Iterable[str]) -> list[str]:
    """Return the names of the distributions that requirements ask for here, and of all that those ask for in turn."""
    from packaging.utils import canonicalize_name

    wanted = [one for one in _requirements(lines) if one.marker is None or one.marker.evaluate({"extra": ""})]
    todo = [(canonicalize_name(one.name), extra) for one in wanted for extra in ("", *one.extras)]
    seen: set[tuple[str, str]] = set()
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += [(canonicalize_name(name), extra) for name, extra in _needs(*one)]
    return sorted({name for name, _ in seen})


def _needs(name: str, extra: str) -> Iterator[tuple[str, str]]:
    try:
        lines = distribution(name).requires or []
    except PackageNotFoundError:
        return
    for one in _requirements(lines):
        if one.marker is None or one.marker.evaluate({"extra": extra}):
            yield from ((one.name, further) for further in ("", *one.extras))


def _requirements(lines: Iterable[str]) -> Iterator[Requirement]:
    """Give what lines of metadata require; a line that requires nothing that pip knows is passed over."""
    from packaging.requirements import InvalidRequirement, Requirement

    for line in lines:
        with suppress(InvalidRequirement):
            yield Requirement(line)


def _size(found: Distribution) -> int:
    """Return the bytes of a distribution's files, compiled ones included; an editable one's are its sources."""
    files = [Path(str(found.locate_file(file))) for file in found.files or ()]
    with suppress(ValueError, LookupError, AttributeError, TypeError):  # a damaged address: its files are counted
        address = json.loads(found.read_text("direct_url.json") or "{}")
        if address.get("dir_info", {}).get("editable"):
            files += (Path(unquote(urlsplit(address["url"]).path)) / "src").rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())
