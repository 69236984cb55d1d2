"""Finds the family of a model by its name: ``model_type`` in config.json."""

from __future__ import annotations

import re

from functory.contracts.family import Family
from functory.errors import NotSupported, UnknownComponent
from functory.plugins.registry import entries, load

_NAME = re.compile(r"(?!file:)(?:[\w.-]+:)?\w[\w.+-]{0,99}")
"""A name, or a distribution and a name. What a stranger's config.json holds may be anything."""


def family_names() -> list[str]:
    """Return the names of the installed families; none is imported."""
    return sorted({entry.name for entry in entries("families")})


def family_of(name: str, reference: str = "", where: str = "") -> Family:
    """Return a family.

    :param name: ``model_type``; ``distribution:model_type`` where two distributions bring it.
    :param reference: the backbone that is of it, and `where` the file that says so, for the error.
    :raises NotSupported: where no installed distribution brings it.
    :raises AmbiguousComponent: where two do.
    :raises PluginError: where it cannot be imported.
    """
    found = _installed(name, where)
    if found is None:
        raise NotSupported(
            f"{reference!r} is of the family {name[:100]!r}, which is not known here.",
            where=where,
            do=f"the families are {', '.join(family_names())}; a plugin can bring another (functory new plugin --kind families).",
        )
    return found()


def _installed(name: str, where: str) -> type[Family] | None:
    """Return the class of a family; None where nobody brings it."""
    try:
        return load("families", name, where=where) if _NAME.fullmatch(name) else None
    except UnknownComponent:
        return None
