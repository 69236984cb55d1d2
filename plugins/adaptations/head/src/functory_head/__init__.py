"""The head adaptation."""

from functory_head.adaptation import HeadOnly, HeadOptions

__all__ = ["HeadOnly", "HeadOptions"]
