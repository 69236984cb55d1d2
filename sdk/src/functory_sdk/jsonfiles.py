"""Reads the JSON files that others wrote beside a model or an adapter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from functory.errors import ArtefactCorrupt


def read_json(folder: Path, name: str) -> dict[str, Any]:  # Any: JSON as its authors left it
    """Return the object in a JSON file of the folder; empty where there is no such file.

    :raises ArtefactCorrupt: where it is no JSON object.
    """
    path = folder / name
    if not path.is_file():
        return {}
    content = path.read_bytes()
    check_fetched(path, content, "its JSON")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ArtefactCorrupt(f"{name} is no JSON: {error}", where=str(path), do="fetch it again.") from error
    if not isinstance(found, dict):
        raise ArtefactCorrupt(f"{name} holds no object.", where=str(path), do="fetch it again.")
    return found


def check_fetched(file: Path, start: bytes, meant: str) -> None:
    """Refuse what lies where a file of a model should, and was never fetched.

    :param start: the file's first bytes, or all.
    :param meant: what should be in it: ``the weights``.
    :raises ArtefactCorrupt: for a pointer of Git LFS and for a web page.
    """
    what, do = "", "fetch the model again."
    if start.startswith(b"version https://git-lfs"):
        what = "is a pointer of Git LFS"
        do = "fetch what it points at: git lfs pull, in the model's folder; or hf download org/name."
    elif start.lstrip()[:1] == b"<":
        what = "is a web page, with which the download answered"
    if what:
        raise ArtefactCorrupt(f"{file.name} {what}, and not {meant}.", where=str(file), do=do)
