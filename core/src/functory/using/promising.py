"""Promises that a function makes of its answers, on rows that nothing else was fitted to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from functory.contracts.trust import Abstaining, Sets, TrustState
from functory.errors import DataError, NotSupported
from functory.function import Function
from functory.measuring.conformal import fewest_rows, least_chance
from functory.measuring.promises import CONFIDENCE
from functory.measuring.selective import Curve, fewest
from functory.running.golden import record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from functory.contracts.certainty import Certainty
    from functory.contracts.task import Task
    from functory.data import Examples


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


def promised_again(function: Function, before: Function) -> Function:
    """Return a function in another form than it promised in, with the limits that this form needs.

    Where the untouched rows are not known any more, or do not bear it out, it keeps its limits, and that is noted.

    :param before: the function that promised.
    """
    state = function.state
    asked = Promises(
        *(None if one is None else one.at for one in (getattr(state, "abstaining", None), getattr(state, "sets", None)))
    )
    if not asked or function.form is before.form:
        return function
    said = f"what it promises was found in {before.form.name}: look at what `evaluate` says of it in {function.form.name}."
    if before.untouched is not None and len(before.untouched):
        try:
            made = promised(function, before.untouched, asked)
        except DataError as error:
            said = f"{error.what} It keeps the limits of {before.form.name}."
        else:
            made.golden = record(made, [one.value for one in made.golden])
            return made
    return function.replaced(about=replace(function.about, notes=(*function.about.notes, said)))


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
