"""Texts while they are written: what comes of each step's scores. For every engine that writes; no torch.

An engine brings a forward pass, and says which rows of it are whose: what is chosen, followed, guided and ended stands here once.
"""

from functory_sdk.lines.line import Line
from functory_sdk.lines.search import Search
from functory_sdk.lines.text import Alone, Apart, Step, Text, begun

__all__ = ["Alone", "Apart", "Line", "Search", "Step", "Text", "begun"]
