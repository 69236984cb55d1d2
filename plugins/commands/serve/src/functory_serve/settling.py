"""Keeps Python from stopping a server: what is there when its functions are warm is searched for cycles no more, and the thread
that computes gets its turn soon.

A process that has loaded a network holds some million objects, and each full search goes through all of them while every thread
waits. A forward pass asks for Python's lock between any two operations, some hundred times, and a loop that is busy with requests
keeps it for `TURN` each time. Apart from `served` and `app`, which live in a program of somebody else's: its heap is its own.
"""

from __future__ import annotations

import gc
import sys

TURN = 0.0001
"""Seconds that a thread keeps Python's lock while another wants it; Python's own 0.005 cost a sixth of the throughput."""


def settle(*, anew: bool = False) -> None:
    """Set aside what lives now; let threads take short turns.

    :param anew: whether what was set aside before and is garbage by now is freed. All objects are gone through for that, which
        in a forked process makes memory its own that was its parent's too.
    """
    sys.setswitchinterval(TURN)
    if anew:
        gc.unfreeze()
    gc.collect()
    gc.freeze()
