"""What `datasets` declares of a column, as JSON, and the class names that follow from it; without that library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Namer = Callable[[Any], Any]
"""Turns what a column holds into names."""
_LISTS = ("Sequence", "List", "LargeList")


def namer_of(feature: Any) -> Namer | None:  # Any: JSON
    """Return what turns the values of a feature into names, in lists and structs too; None where nothing is to be turned."""
    if isinstance(feature, list):  # the old way of writing a list
        return _in_lists(namer_of(feature[0])) if feature else None
    if not isinstance(feature, Mapping):
        return None
    kind = feature.get("_type")
    if kind == "ClassLabel":
        return _of_class(feature.get("names") or [])
    if kind in _LISTS:
        return _in_lists(namer_of(feature.get("feature")))
    return _in_structs(feature) if not isinstance(kind, str) else None


def _of_class(names: list[str]) -> Namer:
    """Return the namer of one class number; -1 is no label, what is no number stays."""

    def name(value: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            return value
        return names[value] if 0 <= value < len(names) else None

    return name


def _in_lists(inner: Namer | None) -> Namer | None:
    """Return the namer of lists. A list of structs may be stored as a struct of lists."""
    if inner is None:
        return None

    def name(values: Any) -> Any:
        if isinstance(values, list):
            return [inner(value) for value in values]
        if isinstance(values, Mapping):
            length = max((len(value) for value in values.values() if isinstance(value, list)), default=0)
            items = [inner({key: value[n] for key, value in values.items() if n < len(value)}) for n in range(length)]
            return {key: [item.get(key) for item in items] for key in values}
        return values

    return name


def _in_structs(features: Mapping[str, Any]) -> Namer | None:
    """Return the namer of structs."""
    namers = {key: namer for key, feature in features.items() if (namer := namer_of(feature)) is not None}
    if not namers:
        return None

    def name(values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        return {key: namers[key](value) if key in namers else value for key, value in values.items()}

    return name
