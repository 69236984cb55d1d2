"""Probabilities by name, as outputs give them. Apart, because ten thousand labels an answer are made for every answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from functory.contracts.rows import Array

DIGITS = 6
"""Digits after the point that outputs tell."""


def named(names: Sequence[str], shares: Array) -> dict[str, float]:
    """Return the probability of each name, rounded.

    :param shares: (names,)
    """
    return dict(zip(names, np.round(np.asarray(shares, dtype=np.float64), DIGITS).tolist(), strict=True))
