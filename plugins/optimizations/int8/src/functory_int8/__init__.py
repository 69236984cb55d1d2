"""The int8 optimization."""

from functory_int8.optimization import Int8, Int8Options

__all__ = ["Int8", "Int8Options"]
