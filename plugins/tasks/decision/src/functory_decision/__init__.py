"""The decision task: several typed questions about one text."""

from functory_decision.task import Decide
from functory_decision.types import Decision, Text
from functory_decision.verb import decide

__all__ = ["Decide", "Decision", "Text", "decide"]
