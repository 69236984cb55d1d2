"""Keeps rows untouched by training, and calibrates scores on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from functory.building.fitting import traced, tuned_on
from functory.contracts.formulation import Formulation
from functory.contracts.trust import FEWEST_TO_CALIBRATE, TrustState
from functory.data import Examples, split
from functory.running.forms import TorchForm
from functory.using.promising import Promises

if TYPE_CHECKING:
    from functory.contracts.task import Task
    from functory.function import Function

SHARE = 0.05
"""The share of the training data that stays untouched where nobody says, if that is enough to calibrate scores on."""
PROMISED_SHARE = 0.2
"""The same, where something is promised."""
CALIBRATING = 0.25
"""The part of untouched rows that calibrates scores, where the others make promises of them."""


def share_of(asked: float | None, promises: Promises, task: Task[Any], rows: int, dev_share: float) -> float:
    """Return the share of the training data that stays untouched.

    Where nobody says, and nothing is promised, it is `SHARE` if that is enough to calibrate on; none for tasks that calibrate
    nothing, and none where no dev is split off either: whoever says so wants every row learned from.

    :param asked: the recipe's.
    """
    if asked is not None:
        return asked
    if promises:
        return PROMISED_SHARE
    is_enough = rows * SHARE >= FEWEST_TO_CALIBRATE
    return SHARE if issubclass(task.State, TrustState) and dev_share and is_enough else 0.0


def parted(untouched: Examples, promises: Promises, seed: int) -> tuple[Examples, Examples]:
    """Return the untouched rows that calibrate scores, and those on which promises are made; none is both, for a promise
    is about scores that are what they are.
    """
    nothing = untouched.take([])
    if not promises or not len(untouched):
        return untouched, nothing
    some = split(untouched, CALIBRATING, 0.0, seed=seed)
    is_enough = len(some.dev) >= FEWEST_TO_CALIBRATE and len(some.train) >= max(promises.wanted().values())
    return (some.dev, some.train) if is_enough else (nothing, untouched)


def calibrated(function: Function, rows: Examples, dev: Examples) -> Function:
    """Return a function whose scores mean what they say, where its task calibrates any.

    What the task tunes is tuned once more, since it is about calibrated scores.

    :param rows: untouched ones.
    :param dev: what it was tuned on; where that is none, it is tuned on the rows.
    """
    formulation = cast(TorchForm, function.form).formulation
    if not len(rows) or type(formulation).calibrate is Formulation.calibrate:
        return function
    found = traced(function, rows, "untouched rows")
    before, function = function.state, calibrated_on(function, found, rows)
    if function.state == before or type(formulation).tune is Formulation.tune:
        return function
    return tuned_on(function, traced(function, dev), dev) if len(dev) else tuned_on(function, found, rows)


def calibrated_on(function: Function, found: Sequence[Any], rows: Examples) -> Function:
    """Return a function whose scores mean what they say, by outputs that are there already.

    :param found: of each row its side data and the outputs, as `Function.trace` gives them.
    """
    formulation = cast(TorchForm, function.form).formulation
    if type(formulation).calibrate is Formulation.calibrate or not any(outputs for _, outputs in found):
        return function
    sides, outputs = [side for side, _ in found], [of_rows for _, of_rows in found]
    state = formulation.calibrate(sides, outputs, list(rows), function.state)
    return function if state == function.state else function.replaced(state=state)
