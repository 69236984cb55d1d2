"""How sure a function was of its answers, beside whether they were right: what calibration and promises are measured on.

Apart from `judging`, which tells one answer in words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DIGITS = 6
"""Digits after the point that outputs tell of a probability; what is decided by one is decided by what is told."""


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure a function is of some examples.

    Where it declines to answer, it is about the answer that it would have given.

    :param sure: (examples,) the probability that it gives its answer.
    :param is_right: (examples,) whether that answer is right.
    :param is_open: (examples,) whether it answers at all; False where it says that an input is none of its labels.
    :param of_right: (examples,) the probability that it gives the right answer, below 0 where it knows of no such; None where
        an answer is no choice of one among several.
    :param chances: (any number,) every probability that is held against what is so; those of `sure` where None.
    :param is_so: (as many,) whether what it stands for is so.
    :param set_sizes: (examples,) how many labels the prediction set of each holds; None where there can be none.
    :param is_in_set: (examples,) whether the right one is among them.
    """

    sure: NDArray[np.float64]
    is_right: NDArray[np.bool_]
    is_open: NDArray[np.bool_]
    of_right: NDArray[np.float64] | None = None
    chances: NDArray[np.float64] | None = None
    is_so: NDArray[np.bool_] | None = None
    set_sizes: NDArray[np.int64] | None = None
    is_in_set: NDArray[np.bool_] | None = None

    def held(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return probabilities, and whether what each stands for is so."""
        if self.chances is None or self.is_so is None:
            return self.sure, self.is_right
        return self.chances, self.is_so
