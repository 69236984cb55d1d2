"""The digest of an artefact: one sha256 that covers every byte of its folder. The one writer and reader of function.json.

function.json holds the sha256 of every other member; the file beside it holds function.json's own, as ``sha256sum`` writes
it. It tells that nothing was changed, and not who made it: whoever can write a folder can write its digest too. Imports next to
nothing, because whoever only lists functions reads here as well.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory.artefact.members import DIGEST, MANIFEST
from functory.errors import ArtefactCorrupt, ArtefactError, ArtefactVersion, UsageError
from functory.machine.boundary import FRESH, reading
from functory.machine.members import parsed, read_bytes

if TYPE_CHECKING:
    from functory.artefact.manifest import Manifest

FORMAT = 3
"""The format version that this functory writes, and the only one that it reads."""

_LINE = re.compile(rb"([0-9a-f]{64})  " + re.escape(MANIFEST.encode()) + rb"\n")


def seal(folder: Path, manifest: Manifest) -> str:
    """Write the manifest of all that lies in a folder, and the digest beside it; return the digest."""
    from functory.artefact.manifest import Member
    from functory.machine.folders import files_of, sha256

    for name in (MANIFEST, DIGEST):
        (folder / name).unlink(missing_ok=True)
    members = {path: Member(sha256=sha256(file), size=file.stat().st_size) for path, file in files_of(folder).items()}
    text = manifest.model_copy(update={"members": members}).model_dump_json(indent=2)
    (folder / MANIFEST).write_bytes(f"{text}\n".encode())
    return write_digest(folder)


def write_digest(folder: Path) -> str:
    """Write the digest of the manifest that lies in a folder; return it."""
    digest = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    (folder / DIGEST).write_bytes(f"{digest}  {MANIFEST}\n".encode())
    return digest


def unseal(folder: Path, sha256: str = "") -> tuple[dict[str, Any], str]:  # Any: JSON
    """Return what the manifest of a folder says, and its digest, after the one was found to be the other's.

    :param sha256: the digest that the caller asks for; any when empty.
    :raises ArtefactError: when there is no function, or it is not as it was written.
    :raises UsageError: when `sha256` is no digest.
    """
    asked_for(sha256)
    with reading(MANIFEST, folder):
        content = _found(folder / MANIFEST)
        if content is None:
            near = "" if folder.is_dir() else " It is a file." if folder.exists() else " There is no such folder."
            raise ArtefactError(
                f"no function lies here: {MANIFEST} is missing.{near}",
                where=str(folder),
                do="name the folder that `save` wrote.",
            )
    with reading(DIGEST, folder):
        digest = _found(folder / DIGEST)
    return unsealed(content, digest, str(folder), sha256)


def _found(file: Path) -> bytes | None:
    """Return what a file holds; None where there is none."""
    try:
        return read_bytes(file)
    except (FileNotFoundError, NotADirectoryError):
        return None


def unsealed(
    content: bytes, line: bytes | None, where: str, sha256: str = ""
) -> tuple[dict[str, Any], str]:  # Any: JSON
    """Return what a manifest says, and its digest, from the bytes of the two files.

    :param content: function.json.
    :param line: the digest's file; None where there is none.
    :param sha256: as `unseal` takes it.
    :raises ArtefactError: when they are not as they were written.
    :raises UsageError: when `sha256` is no digest.
    """
    pinned = asked_for(sha256)
    if line is None:
        _check_format(content, where)
        raise ArtefactCorrupt(f"{DIGEST} is missing.", where=where, do=FRESH)
    found, digest = _LINE.fullmatch(line), hashlib.sha256(content).hexdigest()
    if found is None:
        raise ArtefactCorrupt(f"{DIGEST} is not as `sha256sum {MANIFEST}` writes it.", where=where, do=FRESH)
    if found[1].decode() != digest:
        said = f"its sha256 is {digest[:16]}…, {DIGEST} says {found[1].decode()[:16]}…"
        raise ArtefactCorrupt(f"{MANIFEST} was changed: {said}.", where=where, do=FRESH)
    if pinned and pinned != digest:
        raise ArtefactCorrupt(
            f"the function is not the one that was asked for: its sha256 is {digest}, and not {pinned}.",
            where=where,
            do="get the function that was asked for; ask for this one only if you trust where it comes from.",
        )
    return _check_format(content, where), digest


def asked_for(sha256: str) -> str:
    """Return a digest that somebody asks for, in small letters; an empty text stays one.

    :raises UsageError: when it is no digest; the beginning of one is none.
    """
    if not isinstance(sha256, str) or (sha256 and not re.fullmatch("[0-9a-fA-F]{64}", sha256)):
        raise UsageError(
            f"sha256 = {sha256!r} is no digest.",
            do="give all its 64 hexadecimal digits, as `functory verify` prints them.",
        )
    return sha256.lower()


def _check_format(content: bytes, where: str) -> dict[str, Any]:
    """Return a manifest as data.

    :raises ArtefactCorrupt: when it is no JSON.
    :raises ArtefactVersion: when it has another format version.
    """
    with reading(MANIFEST, where):
        data = parsed(content.decode("utf-8"))
    if not isinstance(data, dict) or "format" not in data:
        raise ArtefactCorrupt(f"{MANIFEST} is no function's: it names no format.", where=where, do=FRESH)
    version = data["format"]
    if type(version) is not int or version != FORMAT:
        raise ArtefactVersion(
            f"the function has format {version!r}; this functory reads {FORMAT}.", where=where, do=_remedy(version)
        )
    found: dict[str, Any] = data
    return found


def _remedy(version: object) -> str:
    """Return what to do with a function of another format."""
    if type(version) is int and version < FORMAT:
        return f"build it again: its recipe stands in its {MANIFEST}, under \"recipe\"."
    return "install a functory that reads it (pip install -U functory), or build it again."
