"""The tagging task."""

from functory_tagging.task import Tagging
from functory_tagging.types import Line, Tagged, TaggedLine, Token

__all__ = ["Line", "Tagged", "TaggedLine", "Tagging", "Token"]
