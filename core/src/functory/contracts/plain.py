"""Values and types as plain Python, whatever array, series, scalar or validator holds them.

numpy, pandas, polars, Arrow and torch each have their own; none is imported here: they are known by what they can do.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

_AS_PYTHON = ("tolist", "to_pylist", "to_list", "as_py")
"""What makes lists and numbers of a value: of numpy, torch and pandas; Arrow's arrays; polars; Arrow's scalars."""


def plain(value: Any) -> Any:  # Any: whatever a table of any library holds
    """Return a value as texts, numbers, None, lists and dicts; what is nothing of the kind comes back as it is."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return None if type(value).__name__ in ("NAType", "NaTType") else _converted(value)


def finite(value: Any) -> Any:  # Any: plain data
    """Return plain data with nothing in the place of numbers that JSON does not know: not a number, infinite."""
    if isinstance(value, dict):
        return {name: finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and value - value != 0 else value


def plain_type(annotation: Any) -> Any:  # Any: a type expression, in and out
    """Return a type without what validates it: ``str | tuple[str, ...]`` for `LabelOrList`."""
    if get_origin(annotation) is Annotated:
        return plain_type(get_args(annotation)[0])
    arguments = get_args(annotation)
    bare = tuple(plain_type(one) for one in arguments)
    if all(one is other for one, other in zip(bare, arguments, strict=True)):
        return annotation
    origin = get_origin(annotation)
    return reduce(or_, bare) if origin in (Union, UnionType) else origin[bare]


def _converted(value: Any) -> Any:  # Any: as above
    """Return what a value says it is in Python."""
    if isinstance(value, type):
        return value
    for name in _AS_PYTHON:
        if callable(convert := getattr(value, name, None)):
            found = convert()
            return found if type(found) is type(value) else plain(found)
    if hasattr(value, "__array__") and "numpy" in sys.modules:
        return plain(sys.modules["numpy"].asarray(value).tolist())
    return value
