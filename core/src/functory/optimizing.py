"""Makes a function smaller or faster, by a named optimization, on data that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functory.data import Examples
from functory.errors import DataError
from functory.evaluation import read_examples
from functory.function import Function

FEWEST = 8
"""Examples below which nothing can be measured."""


def optimize(function: Function, method: str, data: Any, options: Mapping[str, Any]) -> Function:
    """Return the function to use from now on, with its report as `optimization`.

    :param data: held-out data with answers; where None, what the build kept apart.
    :raises DataError: when there is nothing to measure on.
    """
    from functory.plugins import load
    from functory.steps import Steps

    optimization = load("optimizations", method).configure(dict(options))
    held_out = function.held_out if data is None else read_examples(function.task, function.state, data)
    if held_out is None or len(held_out) < FEWEST:
        raise DataError(
            f"there are {len(held_out or ())} held-out examples to measure on; at least {FEWEST} are wanted.",
            do="give data that the function was not trained on: optimize(data='test.csv'), --data test.csv.",
        )
    held_out, calibration = _apart(function, held_out)
    made, report = Steps(function.hooks).optimize(
        function=function, optimization=optimization, examples=held_out, calibration=calibration
    )
    if made is function:
        made = function.replaced()
    else:
        made.about.optimization = report.model_dump(mode="json")
    made.optimization = report
    result: Function = made
    return result


def _apart(function: Function, held_out: Examples) -> tuple[Examples, Sequence[Any]]:
    """Return examples to measure on and inputs to calibrate on, none of them in both."""
    if function.calibration:
        return held_out, function.calibration
    # A loaded function does not know its training data: every fourth example calibrates, the others measure.
    places = range(len(held_out))
    some = [index for index in places if index % 4 == 0][:300]
    rest = sorted(set(places) - set(some))
    return held_out.take(rest), [function.coerce(held_out[index]) for index in some]
