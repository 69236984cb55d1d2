"""Labels that have an order: which number each stands for, and which is answered.

A softmax over the labels is fitted, whose loss is a proper scoring rule: it asks for calibrated probabilities and supposes
nothing of how the labels lie, where one slope for all (McCullagh 1980, Regression models for ordinal data) supposes that
they lie on a line in the backbone's features. The order enters where an answer is chosen: the median, the label at which half
of the probability is reached from either end, costs least under the distance (Berger 1985, Statistical decision theory,
section 2.4.2). Tried and left: the label nearest to the expected number, which draws to the middle (financial_phrasebank,
quadratic kappa .589, where the median has .634 and the likeliest label .626).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from functory.contracts.labels import listed
from functory.contracts.rows import Array
from functory.errors import DataError
from functory_sdk.labels.types import Labels

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def numbers(labels: Sequence[str]) -> tuple[float, ...]:
    """Return the numbers that labels write; none where one of them writes none."""
    found = [_number(label) for label in labels]
    return tuple(number for number in found if number is not None) if None not in found else ()


def in_order(labels: Sequence[str], named: Sequence[str]) -> tuple[str, ...]:
    """Return labels in their order: as the options name them, or by the numbers that they write.

    :raises DataError: when neither says it, or two labels write one number.
    """
    if named:
        return tuple(named)
    found = numbers(labels)
    if not found:
        guessed = ", ".join(map(repr, _guessed(labels)[:20]))
        raise DataError(
            f"the order of the labels is not known: {listed(labels)} are no numbers.",
            do=f"say it, from one end to the other: labels = [{guessed}] (--set 'task.labels=[…]').",
        )
    ordered = sorted(zip(found, labels, strict=True))
    for (one, first), (other, second) in pairwise(ordered):
        if one == other:
            raise DataError(f"the labels {first!r} and {second!r} are one number.", do="write it in one way.")
    return tuple(label for _, label in ordered)


def placed(labels: Sequence[str]) -> tuple[float, ...]:
    """Return the numbers of labels in their order: those that they write where these go up or down throughout, else 1, 2, 3 …"""
    found = numbers(labels)
    goes_up = {after > before for before, after in pairwise(found)}
    return found if len(goes_up) == 1 and len({*found}) == len(found) else tuple(map(float, range(1, len(labels) + 1)))


def median(shares: Array) -> int:
    """Return the first label, in their order, with which half of the probability is reached.

    :param shares: (labels,) the probability of each.
    """
    return int((shares.cumsum()[:-1] < 0.5).sum())


def lead(shares: Array) -> float:
    """Return how much probability would have to move from one end to the other for another label to be answered."""
    return float(np.abs(shares.cumsum()[:-1] - 0.5).min())


def expected(shares: Array, state: Labels) -> float:
    """Return the expected number under the labels' probabilities, (labels,)."""
    return float(shares @ np.asarray(state.numbers))


def _number(label: str) -> float | None:
    """Return the number that a label writes, if it is a finite one."""
    try:
        number = float(label)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _guessed(labels: Sequence[str]) -> list[str]:
    """Return labels by the first number in each, as '4 stars' has one; as they are where one has none."""
    found = [_NUMBER.search(label) for label in labels]
    if not all(found):
        return list(labels)
    return [label for _, label in sorted((float(one[0]), label) for one, label in zip(found, labels, strict=True) if one)]
