"""What holds in torch while a model is made or fitted, whatever the user's program has set for itself.

Whether gradients are kept, and which generator draws, is each thread's own. The type of what is made without one belongs to the
whole process: it is set only where it is not float32, for as long as any thread needs it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from functory_sdk.torch import drawing

_lock = threading.Lock()
_inside = 0  # threads that need float32 now
_before = torch.float32


@contextmanager
def own_defaults(seed: int) -> Iterator[None]:
    """Let layers be float32, parameters be such that can be trained, and random numbers come from the seed."""
    with _float32(), torch.inference_mode(False), torch.enable_grad(), drawing(seed):
        yield


@contextmanager
def _float32() -> Iterator[None]:
    """Let torch make float32; the default that was found comes back when the last thread leaves."""
    global _inside, _before
    with _lock:
        if not _inside:
            _before = torch.get_default_dtype()
        _inside += 1
        _set(torch.float32)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _set(_before)


def _set(kind: torch.dtype) -> None:
    if torch.get_default_dtype() is not kind:
        torch.set_default_dtype(kind)
