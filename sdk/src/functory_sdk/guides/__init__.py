"""Holds texts to their guides, for engines that write: which tokens may come, and that every text ends in time. No torch.

Here, and not in an engine, because every engine that gives its scores needs it. llguidance comes with the engine.
"""

from functory_sdk.guides.walks import Walk, walk

__all__ = ["Walk", "walk"]
