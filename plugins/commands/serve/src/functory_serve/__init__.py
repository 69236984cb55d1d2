"""Serves functory functions over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functory_serve.app import app
    from functory_serve.limits import Limits
    from functory_serve.running import serve, served

VERSION = "0.1.0"
_HOMES = {
    "Limits": "functory_serve.limits",
    "app": "functory_serve.app",
    "serve": "functory_serve.running",
    "served": "functory_serve.running",
}
__all__ = ["Limits", "app", "serve", "served"]


def __getattr__(name: str) -> Any:  # Any: what the names of `__all__` are
    if name not in _HOMES:
        raise AttributeError(f"module 'functory_serve' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
