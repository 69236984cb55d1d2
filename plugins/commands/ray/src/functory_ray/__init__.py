"""Functions on many machines, by Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functory_ray.mapping import map
    from functory_ray.serving import application

_HOMES = {"application": "functory_ray.serving", "map": "functory_ray.mapping"}
__all__ = ["application", "map"]


def __getattr__(name: str) -> Any:  # Any: what the names of `__all__` are
    if name not in _HOMES:
        raise AttributeError(f"module 'functory_ray' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
