"""The full adaptation."""

from functory_full.adaptation import Full, FullOptions

__all__ = ["Full", "FullOptions"]
