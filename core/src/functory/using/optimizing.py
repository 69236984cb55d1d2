"""Makes a function smaller or faster, by a named optimization, on data that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from functory.contracts.optimization import OptimizationReport
from functory.data import Examples
from functory.errors import DataError
from functory.function import Function
from functory.measuring.evaluation import read_examples
from functory.using.promising import promised_again

FEWEST = 8
"""Examples below which nothing can be measured."""


def optimize(function: Function, method: str, data: Any, options: Mapping[str, Any]) -> Function:
    """Return the function to use from now on, with its report as `optimization`, in its notes and, once saved, on its card.

    What the function promises is promised anew in another form, on the same untouched rows where they are still known.
    Where nothing is gained that is another object in the same form, with the same outputs and session options; the
    function given is untouched either way.

    :param data: held-out data with answers; where None, what the build kept apart.
    :raises DataError: when there is nothing to measure on.
    """
    from functory.plugins.registry import load
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
    about = replace(made.about, notes=_noted(made.about.notes, report), optimization=report.model_dump(mode="json"))
    return promised_again(made.replaced(about=about), function)


def _noted(notes: tuple[str, ...], report: OptimizationReport) -> tuple[str, ...]:
    """Return a function's notes with what an optimization did in the place of what an earlier one did."""
    what = f"became {report.kept}" if report.changed else f"stayed {report.kept}"
    begins = f"optimized by {report.optimization}"
    note = f"{begins} on {report.cpu or 'a processor that it did not name'}: {what}; {report.reason}"
    return (*(one for one in notes if not one.startswith(begins)), note)


def _apart(function: Function, held_out: Examples) -> tuple[Examples, Sequence[Any]]:
    """Return examples to measure on and inputs to calibrate on, none of them in both."""
    if function.calibration:
        return held_out, function.calibration
    # A loaded function does not know its training data: every fourth example calibrates, the others measure.
    places = range(len(held_out))
    some = [index for index in places if index % 4 == 0][:300]
    rest = sorted(set(places) - set(some))
    return held_out.take(rest), [function.coerce(held_out[index]) for index in some]
