"""How a function comes to a machine of the cluster: as the files of its artefact, or by a name that leads to it there.

A function cannot be pickled, since no pickle is ever read of one; its files can be sent, and are checked by their digest where
they arrive.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functory_sdk import Function, SessionOptions, open_artefact, read_manifest


@dataclass(frozen=True)
class Travelling:
    """A function on its way.

    :param reference: an installed function's name, or a URL; empty where its files come along.
    :param files: the artefact's files by their paths.
    :param sha256: its digest; empty where the reference says nothing of it.
    """

    reference: str
    files: dict[str, bytes]
    sha256: str = ""


def travelling(function: Function | Path | str) -> Travelling:
    """Return a function as what can be sent.

    :param function: one that was built or loaded; a saved function's folder, an installed one's name, or a URL.
    :raises NotSupported: for a function that cannot be saved.
    :raises ArtefactError: for a folder that holds none.
    """
    if isinstance(function, Function):
        with tempfile.TemporaryDirectory() as place:
            return _packed(function.save(Path(place) / "function"))
    if isinstance(function, str) and not (Path(function) / "function.json").is_file() and not Path(function).is_dir():
        return Travelling(function, {})
    return _packed(Path(function))


def arrived(sent: Travelling, threads: int) -> Function:
    """Return the function, opened on this machine.

    :param threads: of one forward pass.
    :raises ArtefactError: when it is not what was sent.
    """
    session = SessionOptions(threads=threads)
    if sent.reference:
        return open_artefact(sent.reference, session=None if "://" in sent.reference else session)
    place = Path(tempfile.mkdtemp(prefix="functory-ray-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)  # an engine reads from it as long as the process runs
    for path, content in sent.files.items():
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return open_artefact(place, session=session, sha256=sent.sha256)


def _packed(folder: Path) -> Travelling:
    digest = read_manifest(folder).sha256
    files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
    return Travelling("", files, digest)


def computed(function: Function, values: list[Any]) -> list[Any]:
    """Return the output of each Input, or the error that it alone meets."""
    from functory_sdk import FunctoryError

    try:
        return list(function.map(values, progress=False))
    except FunctoryError as error:
        if len(values) == 1:
            return [error]
    middle = len(values) // 2
    return [*computed(function, values[:middle]), *computed(function, values[middle:])]
