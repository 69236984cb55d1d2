"""The decision tasks: several typed questions about one text, built into a function, or given with the text."""

from functory_decision.open_task import OpenDecide
from functory_decision.open_types import AskedText, Decisions
from functory_decision.task import Decide
from functory_decision.types import Decision, Text
from functory_decision.verb import decide

__all__ = ["AskedText", "Decide", "Decision", "Decisions", "OpenDecide", "Text", "decide"]
