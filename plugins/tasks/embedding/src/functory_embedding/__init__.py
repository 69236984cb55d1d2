"""The embedding task."""

from functory_embedding.task import Embedding
from functory_embedding.types import Compared, Embedded, Text

__all__ = ["Compared", "Embedded", "Embedding", "Text"]
