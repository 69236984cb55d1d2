"""The named entity recognition task."""

from functory_ner.task import NER
from functory_ner.types import Entities, Entity, Span, TaggedText, Text

__all__ = ["NER", "Entities", "Entity", "Span", "TaggedText", "Text"]
