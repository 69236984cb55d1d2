"""What people see in a terminal. The one place that touches rich."""

from functory.terminal.bars import Progress, is_quiet, progress
from functory.terminal.drawing import clean, group, plain, show, table, text

__all__ = ["Progress", "clean", "group", "is_quiet", "plain", "progress", "show", "table", "text"]
