"""Keeps Python's search for cycles from stopping a server: all that is there when its functions are warm is searched no more.

A process that has loaded a network holds some million objects, and each full search goes through all of them while every thread
waits. Apart from `served` and `app`, which live in a program of somebody else's: its heap is its own.
"""

from __future__ import annotations

import gc


def settle() -> None:
    """Set aside what lives now, and free what was set aside before and is garbage by now."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
