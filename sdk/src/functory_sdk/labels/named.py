"""Probabilities by name, as outputs give them. Apart, because ten thousand labels an answer are made for every answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from functory.contracts.certainty import DIGITS
from functory.contracts.rows import Array


def named(names: Sequence[str], shares: Array) -> dict[str, float]:
    """Return the probability of each name, rounded.

    :param shares: (names,)
    """
    return dict(zip(names, np.round(np.asarray(shares, dtype=np.float64), DIGITS).tolist(), strict=True))
