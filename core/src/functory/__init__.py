"""functory: a factory of language-model functions.

Every name below is imported with its first use (PEP 562), so that ``import functory`` costs a millisecond.
Type checkers and editors read `__init__.pyi` beside this file.
"""

import sys
from types import ModuleType

__version__ = "0.1.0"

_PUBLIC = {
    "build": "functory.build:build",
    "load": "functory.artefact.loading:load",
    "compare": "functory.using.comparing:compare",
    "compose": "functory.composite:compose",
    "Comparison": "functory.measuring.comparison:Comparison",
    "Function": "functory.function:Function",
    "Recipe": "functory.recipe:Recipe",
    "Report": "functory.measuring.report:Report",
    "verify": "functory.artefact.opening:verify",
    "errors": "functory.errors",
}

__all__ = ["Comparison", "Function", "Recipe", "Report", "__version__", "build", "compare", "compose", "errors", "load", "verify"]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        return _verb(name)
    from importlib import import_module

    module, _, attribute = _PUBLIC[name].partition(":")
    found = import_module(module)
    value = getattr(found, attribute) if attribute else found
    globals()[name] = value
    return value


def _verb(name: str) -> object:
    """Return what an installed task gives for being asked at once: ``functory.decide(text, Ticket)``."""
    names: list[str] = []
    if not name.startswith("_"):  # of such Python itself asks, and often
        from importlib import import_module

        registry = import_module("functory.plugins.registry")
        names = sorted({entry.name for entry in registry.entries("verbs")})
        if name in names:
            found: object = registry.load("verbs", name)
            return found
    raise AttributeError(f"module 'functory' has no attribute {name!r}; its names: {', '.join([*__all__, *names])}")


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """Keeps `build` visible: the import system binds a submodule, `build.py`, to its package."""

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and _PUBLIC.get(name) == f"functory.{name}:{name}":
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
