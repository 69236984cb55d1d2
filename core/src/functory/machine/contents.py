"""What files hold, as hashes: the keys of all that is kept go by content, and not by names, times or versions.

A file is hashed once for as long as it is surely the same: its place, size, times and number stay, and it was not so
young when it was hashed that a later change could bear the same time.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from functory.machine.folders import sha256 as hash_file

YOUNG_SECONDS = 2.0
"""File systems count time in steps of up to two seconds: what changed within them is read again."""

_known: dict[Path, tuple[tuple[int, ...], str]] = {}
_codes: dict[str, tuple[dict[str, object], str]] = {}
"""Package → the specs of its loaded modules, which change with a reload, and its hash."""


def content_hash(path: Path) -> str:
    """Return the sha256 of a file, read now, or remembered in this process where the file is surely unchanged.

    :raises OSError: where it cannot be read.
    """
    place = path.absolute()
    sign = _sign(place)
    known = _known.get(place)
    if known is not None and known[0] == sign:
        return known[1]
    begun = time.time()
    digest = hash_file(place)
    if _sign(place) == sign and begun - sign[2] / 1e9 > YOUNG_SECONDS:
        _known[place] = (sign, digest)
    else:
        _known.pop(place, None)
    return digest


def files_hash(folder: Path, files: Iterable[Path]) -> str:
    """Return one hash of some files of a folder: of their names in it and their bytes."""
    digest = sha256()
    for file in sorted(set(files)):
        digest.update(f"{os.path.relpath(file, folder)} {content_hash(file)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def code_hash(*modules: str) -> str:
    """Return one hash of the Python code of some imported modules: of the whole packages that they belong to.

    Versions do not tell code apart: while a plugin is written, its version stays. What was computed by code is kept
    under this.

    :param modules: names as `__module__` has them; a module without a file counts by its name.
    """
    roots = sorted({_root(module) for module in modules})
    return sha256("\n".join(f"{root} {_code(root)}" for root in roots).encode()).hexdigest()


def _root(module: str) -> str:
    """Return the highest package with a file that a module belongs to, or the module itself: a namespace is no package."""
    parts = module.split(".")
    for count in range(1, len(parts)):
        name = ".".join(parts[:count])
        if getattr(sys.modules.get(name), "__file__", None):
            return name
    return module


def _code(root: str) -> str:
    """Return the hash of a package's code as it was first asked for, and again when a module of it was loaded anew."""
    loaded: dict[str, object] = {
        name: getattr(module, "__spec__", None)
        for name, module in list(sys.modules.items())
        if name == root or name.startswith(f"{root}.")
    }
    known = _codes.get(root)
    if known is not None and all(known[0].setdefault(name, spec) is spec for name, spec in loaded.items()):
        return known[1]
    _codes[root] = loaded, _read_code(root)
    return _codes[root][1]


def _read_code(root: str) -> str:
    place = getattr(sys.modules.get(root), "__file__", None)
    if not place:
        return ""
    path = Path(place)
    files = sorted(path.parent.rglob("*.py")) if path.stem == "__init__" else _beside(path)
    digest = sha256()
    for file in files:
        try:
            content = file.read_bytes()
        except OSError:  # compiled, zipped or gone: its name is what is known
            content = b""
        digest.update(f"{os.path.relpath(file, path.parent)} {len(content)}\n".encode(errors="surrogateescape") + content)
    return digest.hexdigest()


def _beside(path: Path) -> list[Path]:
    """Return a file and the modules beside it that are loaded; a distribution's lone module has strangers beside it."""
    if path.parent.name in ("site-packages", "dist-packages"):
        return [path]
    folder, loaded = str(path.parent), (getattr(module, "__file__", None) or "" for module in list(sys.modules.values()))
    return sorted({path, *(Path(file) for file in loaded if file.endswith(".py") and file.rpartition(os.sep)[0] == folder)})


def _sign(path: Path) -> tuple[int, ...]:
    """Return what changes when a file does; the third is when that was, which nobody can set where the system says it."""
    found = path.stat()
    changed = found.st_ctime_ns if os.name == "posix" else found.st_mtime_ns
    return found.st_size, found.st_mtime_ns, changed, found.st_ino, found.st_dev
