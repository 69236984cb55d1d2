"""What people see in a terminal. The one place that touches rich."""

from functory.terminal.bars import Progress, progress
from functory.terminal.drawing import clean, group, plain, show, table, text

__all__ = ["Progress", "clean", "group", "plain", "progress", "show", "table", "text"]
