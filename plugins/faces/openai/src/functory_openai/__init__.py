"""functory functions behind the routes that clients of OpenAI know, and as tools that their models call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functory_openai.tools import called, tool

_HOMES = {"called": "functory_openai.tools", "tool": "functory_openai.tools"}
__all__ = ["called", "tool"]


def __getattr__(name: str) -> Any:  # Any: what the names of `__all__` are
    if name not in _HOMES:
        raise AttributeError(f"module 'functory_openai' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
