"""Computes a batch: for each input the bytes that its request gets, or what is wrong with it alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functory_sdk import Function
from functory_serve.drift import Drift

Outcome = bytes | BaseException
"""An output as JSON, or why there is none."""


def computed(function: Function, values: Sequence[Any], drift: Drift) -> tuple[list[Outcome], int]:
    """Return what comes of each input, and how many of the outputs decline to answer.

    Where one of them fails all, they are halved until it is found.

    :param values: the task's Inputs.
    :param drift: sees what was computed.
    """
    try:
        outputs = list(function.map(values, progress=False))
        drift.saw(values, outputs)
        return [output.json().encode() for output in outputs], sum(output.abstained for output in outputs)
    except BaseException as error:  # what a function raises for one, a SystemExit too, must not be its neighbours'
        if len(values) == 1:
            return [error], 0
    middle = len(values) // 2
    (first, some), (second, others) = (computed(function, part, drift) for part in (values[:middle], values[middle:]))
    return [*first, *second], some + others
