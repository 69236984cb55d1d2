"""The embedding task, and keyphrases by embedding."""

from functory_embedding.keyphrases import Keyphrases, KeyphraseTask, Phrase
from functory_embedding.task import Embedding
from functory_embedding.types import Compared, Embedded, Text

__all__ = ["Compared", "Embedded", "Embedding", "KeyphraseTask", "Keyphrases", "Phrase", "Text"]
