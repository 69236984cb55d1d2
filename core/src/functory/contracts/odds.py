"""Probabilities and log-odds: the scale on which what speaks for an answer adds up.

Near one a probability hardly moves whatever is taken away, and its log-odds still do: at .9999 a word that makes the answer
ten times as likely moves the probability by .0009 and the log-odds by 2.3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from functory.contracts.rows import Array

TargetScale = Literal["log", "logit", "raw"]
SUREST = -1e-7
"""The log-probability nearest to 0 that is told from certainty: float32 knows none nearer."""


def log_odds(scores: Array, index: tuple[int, ...]) -> float:
    """Return the log-odds of one of several log-probabilities: log p − log(1 − p).

    Where those beside it along the last axis share one whole with it, 1 − p is their sum, which is exact however near one p is.

    :param scores: one row's output.
    :param index: the place in it.
    """
    chosen = np.asarray(scores, dtype=np.float64)
    number = float(chosen[index])
    if index:
        beside = np.delete(chosen[index[:-1]], index[-1])
        others = float(np.logaddexp.reduce(beside)) if len(beside) else -math.inf
        if abs(np.logaddexp(number, others)) < 1e-3:
            return number - others
    return number - math.log(-math.expm1(min(number, SUREST)))


def joint_odds(odds: Sequence[float]) -> float:
    """Return the log-odds of several things together, from those of each: log Π p − log(1 − Π p), exact near certainty."""
    together, not_all = 0.0, -math.inf  # log-probabilities: that all so far are so, that one is not
    for number in odds:
        yes, no = -float(np.logaddexp(0, -number)), -float(np.logaddexp(0, number))
        not_all = float(np.logaddexp(not_all, together + no))
        together += yes
    return together - not_all


def chance(number: float, scale: TargetScale) -> float:
    """Return the probability that log-odds stand for; a number on no such scale as it is.

    :param scale: the target's: log-probabilities and logits come as log-odds.
    """
    return number if scale == "raw" else 0.5 * (1 + math.tanh(0.5 * number))
