"""The adaptations that fit a head on a backbone's features: those alone, or with n-grams beside them."""

from functory_head.adaptation import HeadOnly, HeadOptions
from functory_head.lexical import Lexical, LexicalOptions

__all__ = ["HeadOnly", "HeadOptions", "Lexical", "LexicalOptions"]
