"""What people see in a terminal. The one place that touches rich."""

from functory.terminal.bars import Progress, progress
from functory.terminal.drawing import group, plain, show, table, text

__all__ = ["Progress", "group", "plain", "progress", "show", "table", "text"]
