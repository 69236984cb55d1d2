"""Sees whether something draws from, or seeds, the generators that belong to the whole process."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def generators_untouched(who: str) -> Iterator[None]:
    """Fail where the block leaves one of the process's generators in another state than it found it in.

    :raises AssertionError: naming the generators.
    """
    before = _states()
    yield
    moved = [name for name, state in _states().items() if state != before[name]]
    assert not moved, f"{who}: {' and '.join(moved)} drew or was seeded: it is the user's."


def _states() -> dict[str, str]:
    import torch

    return {
        "random": repr(random.getstate()),
        "numpy.random": repr([part.tolist() if hasattr(part, "tolist") else part for part in np.random.get_state()]),
        "torch's generator": repr(torch.get_rng_state().tolist()),
    }
