"""The text pair task."""

from functory_text_pair.task import TextPair
from functory_text_pair.types import LabelledPair, Pair

__all__ = ["LabelledPair", "Pair", "TextPair"]
