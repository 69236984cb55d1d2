"""The auto adaptation: which adaptation, chosen on the data."""

from functory_auto.adaptation import Auto

__all__ = ["Auto"]
