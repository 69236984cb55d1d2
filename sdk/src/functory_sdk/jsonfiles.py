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
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ArtefactCorrupt(f"{name} is no JSON: {error}", where=str(path), do="fetch it again.") from error
    if not isinstance(found, dict):
        raise ArtefactCorrupt(f"{name} holds no object.", where=str(path), do="fetch it again.")
    return found
