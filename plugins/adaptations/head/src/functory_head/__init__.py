"""The head adaptation."""

from functory_head.adaptation import Head, HeadOptions

__all__ = ["Head", "HeadOptions"]
