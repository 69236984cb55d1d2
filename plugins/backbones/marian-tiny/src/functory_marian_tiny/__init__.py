"""The marian-tiny backbones, and their family."""

from functory_marian_tiny.backbone import EnglishToPortuguese, PortugueseToEnglish
from functory_marian_tiny.family import MarianSsru

__all__ = ["EnglishToPortuguese", "MarianSsru", "PortugueseToEnglish"]
