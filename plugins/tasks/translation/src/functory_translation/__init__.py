"""The translation task, and its verb."""

from functory_translation.task import Translation
from functory_translation.types import ReferencedText, Source, Translated
from functory_translation.verb import translate

__all__ = ["ReferencedText", "Source", "Translated", "Translation", "translate"]
