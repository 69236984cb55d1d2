"""Builds again on parts of the training data: labels are doubted by functions that did not learn from them, and what more data
would bring is told by what fewer brought.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from functory.data import Examples, Splits, split
from functory.data.splits import folds_of
from functory.errors import OptionError
from functory.function import Function
from functory.measuring.growth import Learned
from functory.measuring.report import Report
from functory.measuring.suspects import Suspect, suspects
from functory.steps import Steps
from functory.training.teaching import input_of

MOST = 200
"""Doubtful labels that are kept."""
FEWEST = 16
"""Training examples of the smallest part."""


@dataclass(frozen=True)
class Again:
    """Builds a function once more, for other splits of the same data.

    :param rebuilt: makes the function of some splits, by the same recipe and the same adaptation.
    :param steps: the steps of the build.
    :param task: the task.
    :param seed: decides the parts.
    :param tell: told how far it is.
    """

    rebuilt: Callable[[Splits], Function]
    steps: Steps
    task: Any  # Any: the configured component
    seed: int
    tell: Callable[[str], None]

    def told_of(self, function: Function, splits: Splits, folds: int, halvings: int) -> Function:
        """Return a function with what its parts told in its notes and in its report.

        :param folds: on how many labels are doubted; 0 for none.
        :param halvings: how many the learning curve has; 0 for no curve.
        """
        more: dict[str, Any] = {}
        report = function.report
        if folds:
            found, parts = self.doubtful(splits.train, splits.dev, folds)
            note = doubt_told(found, parts)
            self.tell(note)
            function = function.replaced(about=replace(function.about, notes=(*function.about.notes, note)))
            more["suspects"] = (*found, *(report.suspects if report else ()))
        if report and halvings:
            more["curve"] = self.curve(splits, report, halvings)
        if report:
            function.report = report.model_copy(update={**more, "remarks": function.about.notes})
        return function

    def doubtful(self, train: Examples, dev: Examples, folds: int) -> tuple[tuple[Suspect, ...], int]:
        """Return the training examples whose labels look wrong, the likeliest first, and on how many folds they do.

        :param dev: what each function is tuned on.
        :param folds: how many functions are to be made; each doubts the labels that it did not learn from. Of few different
            inputs there are fewer.
        """
        outputs: list[Any] = [None] * len(train)
        parts = folds_of(train, folds, seed=self.seed, stratify=self.task.strata)
        for number, held in enumerate(parts):
            self.tell(f"labels that look wrong: fold {number + 1} of {len(parts)}")
            rest = sorted(set(range(len(train))) - set(held))
            function = self.rebuilt(Splits(train.take(rest), dev, train.take([])))
            found = function.map([input_of(self.task, train[n]) for n in held])
            for n, output in zip(held, found, strict=True):
                outputs[n] = output
        return suspects(self.task, outputs, train, MOST), len(parts)

    def curve(self, splits: Splits, whole: Report, halvings: int) -> tuple[Learned, ...]:
        """Return the chosen metric after learning from a half of the training data, from a quarter of it … and from all.

        :param whole: the report of the function that learned from all.
        """
        name = whole.metric or next(iter(whole.metrics))
        found = [_learned(len(splits.train), whole, name)]
        for halving in range(1, halvings + 1):
            part = split(splits.train, 1 - 0.5**halving, 0, seed=self.seed, stratify=self.task.strata).train
            if len(part) < FEWEST:
                break
            self.tell(f"learning curve: {len(part):,} of {len(splits.train):,} training examples")
            function = self.rebuilt(Splits(part, splits.dev, splits.test.take([])))
            found.append(_learned(len(part), self.steps.evaluate(function=function, examples=splits.test), name))
        return tuple(reversed(found))


def check_parts(folds: int, halvings: int, *, has_train: bool, has_test: bool) -> None:
    """Refuse numbers of parts that are none.

    :raises OptionError: naming the option.
    """
    if folds < 0 or folds == 1:
        raise OptionError(f"doubt = {folds} is not allowed.", do="it is a number of folds: 5, or 0 for none.", field="doubt")
    if halvings < 0:
        raise OptionError(f"curve = {halvings} is not allowed.", do="it is a number of halvings: 3, or 0.", field="curve")
    if (folds or halvings) and not has_train:
        field = "doubt" if folds else "curve"
        raise OptionError(f"{field} builds again on parts of train, and there is none.", do="give train = '…'.", field=field)
    if halvings and not has_test:
        raise OptionError(
            "a learning curve is measured on test, and there is none.", do="give test, or a test_share.", field="curve"
        )


def check_labelled(folds: int, halvings: int, adaptation: str) -> None:
    """Refuse parts of a train that has no labels.

    :param adaptation: the name of what learns from descriptions, and from inputs alone.
    :raises OptionError: naming the option.
    """
    if folds or halvings:
        field = "doubt" if folds else "curve"
        raise OptionError(
            f"{field} builds again on parts of labelled examples, and {adaptation!r} learns from descriptions.",
            do=f"leave {field} out, or choose an adaptation that learns from examples.",
            field=field,
        )


def doubt_told(found: tuple[Suspect, ...], folds: int) -> str:
    """Say how many labels of train look wrong, and the first."""
    if not found:
        return f"no label of train looks wrong, on {folds} folds."
    one, count = found[0], f"{len(found):,}" if len(found) < MOST else f"{MOST:,} or more"
    look = "label of train looks" if len(found) == 1 else "labels of train look"
    return f"{count} {look} wrong, on {folds} folds: {one.place} is {one.label!r}, or rather {one.likelier!r}."


def _learned(count: int, report: Report, name: str) -> Learned:
    metric = report.metrics[name]
    return Learned(examples=count, value=metric.value, low=metric.low, high=metric.high)
