"""functory functions as tools of assistants that speak the Model Context Protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functory_mcp.stdio import serve, server

_HOMES = {"serve": "functory_mcp.stdio", "server": "functory_mcp.stdio"}
__all__ = ["serve", "server"]


def __getattr__(name: str) -> Any:  # Any: what the names of `__all__` are
    if name not in _HOMES:
        raise AttributeError(f"module 'functory_mcp' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
