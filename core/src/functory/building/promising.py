"""Calibrates scores, and promises what they are good for, on rows that training used for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from functory.building.fitting import traced, tuned_on
from functory.contracts.formulation import Formulation
from functory.contracts.trust import FEWEST_TO_CALIBRATE, Abstaining, Sets, TrustState
from functory.data import Examples, split
from functory.errors import DataError, NotSupported
from functory.measuring.conformal import fewest_rows, least_chance
from functory.measuring.promises import CONFIDENCE
from functory.measuring.selective import Curve, fewest
from functory.running.forms import TorchForm

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from functory.contracts.certainty import Certainty
    from functory.contracts.task import Task
    from functory.function import Function

SHARE = 0.05
"""The share of the training data that stays untouched where nobody says, if that is enough to calibrate scores on."""
PROMISED_SHARE = 0.2
"""The same, where something is promised."""
CALIBRATING = 0.25
"""The part of untouched rows that calibrates scores, where the others make promises of them."""


@dataclass(frozen=True)
class Promises:
    """What a recipe asks for.

    :param abstain_at: the share of the answers that may be wrong; None where every input is answered.
    :param sets_at: the share of the prediction sets that may lack the right label; None where there are none.
    """

    abstain_at: float | None = None
    sets_at: float | None = None

    def __bool__(self) -> bool:
        return self.abstain_at is not None or self.sets_at is not None

    def wanted(self) -> dict[str, int]:
        """Return the fewest rows that each promise can be made on, by how it is asked for."""
        rows = {}
        if self.abstain_at is not None:
            rows[f"abstain_at = {self.abstain_at:g}"] = fewest(self.abstain_at, CONFIDENCE)
        if self.sets_at is not None:
            rows[f"sets_at = {self.sets_at:g}"] = fewest_rows(self.sets_at)
        return rows

    def check_task(self, task: Task[Any], state: Any) -> None:
        """Refuse what a task cannot promise.

        :raises NotSupported: for a task whose answers have no probability, and for sets where several labels are right.
        """
        if not self:
            return
        asked = next(iter(self.wanted()))
        found = task.certainty([], [], state) if isinstance(state, TrustState) else None
        if found is None:
            raise NotSupported(
                f"{asked}, and the answers of task {task.name!r} have no probability.", do=f"leave {asked.split()[0]} out."
            )
        if self.sets_at is not None and found.of_right is None:
            raise NotSupported(
                f"sets_at = {self.sets_at:g}, and several labels of an input may be right.",
                do="leave it out: such a function gives a set of labels already.",
            )

    def check_rows(self, count: int) -> None:
        """Refuse rows that are too few, before anything is trained.

        :param count: of untouched rows.
        :raises DataError: saying how many are wanted.
        """
        for asked, rows in self.wanted().items():
            if count < rows:
                raise DataError(
                    f"{asked} is promised on {rows:,} untouched rows at least, and there {_are(count)}.",
                    do=f"give untouched = '…' with {rows:,} rows or more, or a larger untouched_share; or promise less.",
                )


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
    if not any(outputs for _, outputs in found):
        return function
    sides, outputs = [side for side, _ in found], [of_rows for _, of_rows in found]
    state = formulation.calibrate(sides, outputs, list(rows), function.state)
    if state == function.state:
        return function
    function = function.replaced(state=state)
    if type(formulation).tune is Formulation.tune:
        return function
    return tuned_on(function, traced(function, dev), dev) if len(dev) else tuned_on(function, found, rows)


def promised(function: Function, rows: Examples, promises: Promises) -> Function:
    """Return a function that declines, or gives sets, as was promised.

    :param rows: untouched ones, on which nothing was calibrated either.
    :raises DataError: where they bear no such promise out, saying how many would.
    """
    state = function.state
    if not promises or not isinstance(state, TrustState):
        return function
    outputs = list(function.map(list(rows)))
    found = function.task.certainty(outputs, list(rows), state)
    if found is None:
        return function
    changed: dict[str, Any] = {}
    if promises.abstain_at is not None:
        changed["abstaining"] = _abstaining(found, promises.abstain_at)
    if promises.sets_at is not None and found.of_right is not None:
        changed["sets"] = _sets(found.of_right, promises.sets_at)
    return function.replaced(state=state.model_copy(update=changed))


def _abstaining(found: Certainty, at: float) -> Abstaining:
    curve = Curve.of(found)
    limit = curve.promising(at, CONFIDENCE)
    if limit is None:
        raise _unbearable(curve, at)
    return Abstaining(at=at, confidence=CONFIDENCE, limit=limit.limit, rows=curve.rows)


def _unbearable(curve: Curve, at: float) -> DataError:
    """Return the error for rows on which a function is wrong too often, wherever it begins to answer."""
    wanted = curve.wanted(at, CONFIDENCE)
    best = min((wrong / k for k, wrong in zip(curve.answered, curve.wrong, strict=True) if k >= curve.rows / 10), default=1.0)
    what = f"abstain_at = {at:g} cannot be promised on {curve.rows:,} untouched rows"
    if wanted is None:
        return DataError(
            f"{what}: even of the surest answers {best:.1%} are wrong, and more rows would not change that.",
            do="promise less, or build a better function: more training data, another backbone or adaptation.",
        )
    return DataError(
        f"{what}: with rows like these about {wanted:,} are wanted.",
        do=f"give untouched = '…' with {wanted:,} rows, a larger untouched_share, or promise less.",
    )


def _sets(of_right: NDArray[np.float64], at: float) -> Sets:
    least = least_chance(of_right, at)
    if least is None:
        raise DataError(
            f"sets_at = {at:g} cannot be promised: the right label of more than {at:.0%} of the untouched rows is none that the "
            "function knows.",
            do="give training data with all labels, or promise less.",
        )
    return Sets(at=at, least=least, rows=len(of_right))


def _are(count: int) -> str:
    return "is 1" if count == 1 else f"are {count:,}"
