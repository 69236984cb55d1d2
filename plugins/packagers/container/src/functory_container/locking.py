"""What an image installs: each distribution that a function and its server need, in the version that is installed here, by hash
where a file is at hand or the index tells one.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.parser import HeaderParser
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from packaging.requirements import Requirement
from packaging.tags import sys_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from functory_sdk import NotSupported, closure

SERVER = "functory-serve"
LONGEST_SECONDS = 600
"""How long the index may take to tell hashes."""


@dataclass(frozen=True)
class Locked:
    """One distribution of the image.

    :param version: without what stands after a plus, which no index has.
    :param hashes: of the files that may be installed, SHA-256; none where none is known.
    :param wheel: the file that is at hand.
    """

    name: str
    version: str
    hashes: tuple[str, ...] = ()
    wheel: Path | None = None


def locked(function: Path, at_hand: Sequence[Path]) -> list[Locked]:
    """Return what an image needs that serves a function: the function first, then all else by name.

    :param function: its wheel.
    :param at_hand: wheels to install from.
    :raises NotSupported: when something that it needs is neither installed here nor at hand.
    """
    files = _fitting(at_hand)
    found = [_of(function)]
    lines, weights = (_asks(function, header) for header in ("Requires-Dist", "Requires-External"))
    apart = {Requirement(one).name for one in weights}  # the image installs everything without what it asks for itself
    for name in sorted({*closure([*lines, SERVER]), *apart}):
        try:
            has = version(name).partition("+")[0]
        except PackageNotFoundError:
            what = f"the image needs {name}, which is not installed here, so that no version of it is known to go."
            raise NotSupported(what, where=function.name, do=f"pip install {'--no-deps ' * (name in apart)}{name}") from None
        wheel = files.get((name, has))
        found.append(_of(wheel) if wheel is not None else Locked(name, has))
    return found


def indexed(found: Sequence[Locked]) -> list[Locked]:
    """Return it with the hashes that pip's index tells of what has none; nothing is installed.

    :raises NotSupported: when the index does not have one of them.
    """
    open_ = [one for one in found if not one.hashes]
    if not open_:
        return list(found)
    with tempfile.TemporaryDirectory() as place:
        wanted, report = Path(place) / "wanted.txt", Path(place) / "report.json"
        wanted.write_text("".join(f"{one.name}=={one.version}\n" for one in open_), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet",
                   "--only-binary", ":all:", "--report", str(report), "-r", str(wanted)]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
        if done.returncode or not report.is_file():
            told = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            what = f"the index does not tell the hashes: {told}"
            raise NotSupported(what, do="give the wheels that it lacks: --set wheels=FOLDER; or leave out index.")
        told_by = json.loads(report.read_text("utf-8"))
    hashes = {str(canonicalize_name(one["metadata"]["name"])): one["download_info"]["archive_info"]["hashes"]["sha256"]
              for one in told_by["install"]}  # fmt: skip
    return [replace(one, hashes=(hashes[one.name],)) if one.name in hashes else one for one in found]


def name_of(wheel: Path) -> str:
    """Return the name of a wheel's distribution.

    :raises NotSupported: when it is named as no wheel is.
    """
    try:
        return str(parse_wheel_filename(wheel.name)[0])
    except InvalidWheelFilename:
        raise NotSupported("this is named as no wheel is.", where=str(wheel), do="remove it from the folder.") from None


def hash_of(file: Path) -> str:
    """Return a file's SHA-256."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _of(wheel: Path) -> Locked:
    has = str(parse_wheel_filename(wheel.name)[1])
    return Locked(name_of(wheel), has, (hash_of(wheel),), wheel)


def _fitting(at_hand: Sequence[Path]) -> dict[tuple[str, str], Path]:
    """Return wheels that this Python takes, by name and version."""
    here = frozenset(sys_tags())
    found = {}
    for wheel in at_hand:
        name_of(wheel)
        name, has, _, tags = parse_wheel_filename(wheel.name)
        if tags & here:
            found[str(name), str(has).partition("+")[0]] = wheel
    return found


def _asks(wheel: Path, header: str) -> list[str]:
    """Return what a wheel asks for.

    :param header: `Requires-Dist`, or, for weights, which are installed apart, `Requires-External`.

    :raises NotSupported: when it is no wheel.
    """
    try:
        with ZipFile(wheel) as zipped:
            [place] = [name for name in zipped.namelist() if name.endswith(".dist-info/METADATA")]
            return HeaderParser().parsestr(zipped.read(place).decode()).get_all(header) or []
    except (BadZipFile, ValueError) as error:
        raise NotSupported("this is no wheel that can be read.", where=str(wheel), do="package the function again.") from error
