"""What a hook plugin is called, and who gives it: any object may be one, a class and a module too."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import getattr_static
from types import ModuleType
from typing import TYPE_CHECKING, Any

from functory.contracts.component import Part

if TYPE_CHECKING:
    from functory.machine.distributions import Entry


def name_of(hook: Any) -> str:  # Any: a name, a table with a name, or a plugin object
    """Return the name of a hook as it stands in a list: an object's own, else its class's or its module's."""
    if isinstance(hook, str | Mapping | Part):
        return Part.of(hook).name
    name = getattr_static(hook, "name", "")
    return name if isinstance(name, str) and name else _kind(hook).__name__


def owner_of(plugin: Any, entry: Entry | None) -> str:  # Any: a hook plugin is any object
    """Return who gives a hook plugin: distribution and version, where they are known, and its class or module."""
    kind = _kind(plugin)
    own = kind.__name__ if isinstance(kind, ModuleType) else f"{kind.__module__}.{kind.__qualname__}"
    return f"{release_of(entry)}{own}"


def release_of(entry: Entry | None) -> str:
    """Return a distribution and its version as a message begins with them; empty where they are not known."""
    return f"{entry.distribution} {entry.version}: " if entry is not None and entry.distribution else ""


def _kind(plugin: Any) -> Any:
    """Return the class or the module that a hook plugin is, or the class that it is of."""
    return plugin if isinstance(plugin, type | ModuleType) else type(plugin)
