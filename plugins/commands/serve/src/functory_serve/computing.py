"""Computes a batch: for each input the bytes that its request gets, or what is wrong with it alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functory_sdk import Function

Outcome = bytes | BaseException
"""An output as JSON, or why there is none."""


def computed(function: Function, values: Sequence[Any]) -> list[Outcome]:
    """Return what comes of each input. Where one of them fails all, they are halved until it is found.

    :param values: the task's Inputs.
    """
    try:
        return [output.model_dump_json().encode() for output in function.map(values, progress=False)]
    except BaseException as error:  # what a function raises for one, a SystemExit too, must not be its neighbours'
        if len(values) == 1:
            return [error]
    middle = len(values) // 2
    return [*computed(function, values[:middle]), *computed(function, values[middle:])]
