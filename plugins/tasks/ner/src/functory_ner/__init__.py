"""The named entity recognition task."""

from functory_ner.task import NER
from functory_ner.types import TaggedText, Text

__all__ = ["NER", "TaggedText", "Text"]
