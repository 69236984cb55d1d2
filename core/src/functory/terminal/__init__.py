"""What people see in a terminal. The one place that touches rich.

Each name is imported with its first use, so that a verb that only prints columns starts without bars.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functory.terminal.bars import Progress as Progress
    from functory.terminal.bars import is_quiet as is_quiet
    from functory.terminal.bars import progress as progress
    from functory.terminal.drawing import as_text as as_text
    from functory.terminal.drawing import clean as clean
    from functory.terminal.drawing import group as group
    from functory.terminal.drawing import show as show
    from functory.terminal.drawing import table as table
    from functory.terminal.drawing import tell as tell
    from functory.terminal.drawing import text as text

_BARS = ("Progress", "is_quiet", "progress")
__all__ = ["Progress", "as_text", "clean", "group", "is_quiet", "progress", "show", "table", "tell", "text"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'functory.terminal' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"functory.terminal.{'bars' if name in _BARS else 'drawing'}"), name)
    globals()[name] = value
    return value
