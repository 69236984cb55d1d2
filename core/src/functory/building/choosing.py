"""Fits the candidates among which an adaptation chooses, holds them against each other, and goes on with the best.

What decides is how each does on rows that its fit has not seen: those of dev, or every row in its turn, where dev would be too
few to choose by and too many to do without. Nothing hangs on the clock.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from functory.building.calibrating import calibrated_on
from functory.building.fitting import Fitting, counted, traced, tuned, tuned_on
from functory.building.parts import component
from functory.contracts.adaptation import Candidate, Choice
from functory.contracts.component import Part
from functory.contracts.formulation import Formulation
from functory.contracts.putting import chosen
from functory.data import Examples, Splits
from functory.data.splits import folds_of
from functory.errors import NotSupported, TrainingError, UnknownComponent
from functory.function import Function
from functory.measuring.intervals import Scorer
from functory.measuring.trials import Trial, drawn, ends, preferred


@dataclass
class _Contender:
    """A candidate that can be fitted here, and how it did.

    :param outputs: what `Function.trace` gave of each example that folds held out, in each turn.
    """

    candidate: Candidate
    adaptation: Any  # Any: the component
    put: str
    formulation: Formulation
    outputs: list[list[Any]] = field(default_factory=list)
    function: Function | None = None
    scores: NDArray[np.float64] | None = None
    steps: int = 0
    seconds: float = 0.0
    why_not: str = ""


class Choosing:
    """A choice under way.

    :param fitting: what all fits have in common.
    :param choice: what the adaptation asked for.
    :param put: the formulation that the recipe asks for; each candidate's best when empty.
    :param is_dev_given: whether the user gave dev, which is then what decides.
    """

    def __init__(self, fitting: Fitting, choice: Choice, splits: Splits, put: str, *, is_dev_given: bool) -> None:
        self.fitting, self.choice, self.splits = fitting, choice, splits
        self.left_out: list[Trial] = []
        self.contenders = list(self._contenders(put))
        is_folded = len(self.contenders) > 1 and (not len(splits.dev) or (bool(choice.folds) and not is_dev_given))
        self.folds = (choice.folds or FOLDS) if is_folded else 0
        self.metric = ""

    @property
    def used(self) -> Splits:
        """The splits as they are used in the end: what folds held out trains too."""
        if not self.folds:
            return self.splits
        train, dev = self.splits.train, self.splits.dev
        whole = replace(train, items=(*train.items, *dev.items), places=(*train.places, *dev.places))
        return replace(self.splits, train=whole, dev=dev.take(()))

    def made(self, folder: Path | None) -> Function:
        """Fit the candidates, and return the function of the one that is preferred, with what was tried.

        :param folder: the run's, where the user named one; each fit has a folder of its own within.
        :raises TrainingError: when none could be fitted.
        """
        if len(self.contenders) == 1:
            [only] = self.contenders
            return tuned(self._whole(only, self.splits, folder), self.splits.dev)
        for number, contender in enumerate(self.contenders):
            self._try(contender, None if folder is None else folder / f"{number + 1}-{contender.candidate.name}")
        tried = [one for one in self.contenders if one.scores is not None]
        if not tried:
            raise TrainingError(
                f"none of the candidates could be fitted. {self._faults()}", do="name an adaptation, and look at your data."
            )
        best = tried[preferred([one.scores for one in tried if one.scores is not None], self.choice.certainty)]
        for one in self.contenders:
            if one is not best and one.function is not None:
                one.function.close()
        function = best.function or self._refitted(best, folder)
        trials = tuple(self._trials(best))
        self.fitting.tell(said := f"{function.about.name}: chosen on held-out examples: {told(trials)}.")
        about = replace(function.about, tried=trials, notes=(*function.about.notes, said))
        return function.replaced(about=about)

    def _contenders(self, put: str) -> Iterator[_Contender]:
        """Give the candidates that are installed, and that task and backbone go with.

        :raises NotSupported: when there is none.
        """
        fitting, found, faults = self.fitting, 0, []
        for one in self.choice.candidates:
            try:
                adaptation = component("adaptations", Part(name=one.name, options=dict(one.options)))
                name, formulation = chosen(fitting.task, fitting.backbone.spec, adaptation, put or one.put)
            except UnknownComponent:
                if one.is_needed:
                    raise
            except NotSupported as error:
                faults.append(error)
                self.left_out.append(_trial(one, why_not=error.what))
            else:
                found += 1
                yield _Contender(one, adaptation, name, formulation)
        if not found:
            raise faults[0] if faults else NotSupported("there is no candidate to choose.", do="name an adaptation.")

    def _try(self, contender: _Contender, folder: Path | None) -> None:
        """Fit a candidate and score it; one that cannot be fitted is told, and left behind."""
        started = time.perf_counter()
        try:
            scorer, examples = self._on_folds(contender, folder) if self.folds else self._on_dev(contender, folder)
        except (NotSupported, TrainingError) as error:
            contender.why_not = error.what
            self.fitting.tell(f"{contender.candidate.name} is out of the choice: {error.what}")
        else:
            everything = scorer(np.arange(examples, dtype=np.int64))
            self.metric = self.metric or self.fitting.task.deciding(everything)
            contender.scores = drawn(scorer, examples, self.metric)
        contender.seconds = time.perf_counter() - started

    def _on_dev(self, contender: _Contender, folder: Path | None) -> tuple[Scorer, int]:
        """Fit a candidate to train, and score it on dev."""
        dev = self.splits.dev
        function = self._whole(contender, self.splits, folder)
        outputs = traced(function, dev)
        function = contender.function = tuned_on(function, outputs, dev)
        return self._scorer(contender, outputs, dev, function.state), len(dev)

    def _on_folds(self, contender: _Contender, folder: Path | None) -> tuple[Scorer, int]:
        """Fit a candidate to all folds but one, for each, and score it on what each fit had not seen."""
        whole, scorers = self.used.train, []
        for turn in range(self.choice.repeats):
            outputs: list[Any] = [None] * len(whole)
            for number, held in enumerate(self._folds(whole, turn)):
                rest = sorted(set(range(len(whole))) - set(held))
                parts = Splits(whole.take(rest), whole.take(()), whole.take(()))
                place = None if folder is None else folder / f"{turn + 1}.{number + 1}"
                with closing(self._whole(contender, parts, place, f"{turn + 1}.{number + 1}")) as function:
                    for index, found in zip(held, traced(function, whole.take(held)), strict=True):
                        outputs[index] = found
            contender.outputs.append(outputs)
            scorers.append(self._scorer(contender, outputs, whole, self.fitting.state))
        return _mean(scorers), len(whole)

    def _whole(self, contender: _Contender, splits: Splits, folder: Path | None, part: str = "") -> Function:
        """Return the function of a candidate, fitted to a split's train."""
        function = self.fitting.attached(contender.adaptation, contender.put, contender.formulation)
        name = "" if len(self.contenders) == 1 and not part else f"{contender.candidate.name} {part}".strip()
        function = self.fitting.fitted(function, splits, folder, name)
        contender.steps += int(function.about.data["fit"].get("steps", 0))
        return function

    def _refitted(self, best: _Contender, folder: Path | None) -> Function:
        """Return the function of the preferred candidate, fitted to every row.

        What the folds held out calibrates its scores, where nothing else may, and the task tunes on it.
        """
        function = self._whole(best, self.used, None if folder is None else folder / "chosen")
        data = {"fit": function.about.data["fit"], **counted(self.used)}
        function = function.replaced(about=replace(function.about, data=data))
        if not len(self.splits.untouched):
            function = calibrated_on(function, best.outputs[0], self.used.train)
        return tuned_on(function, best.outputs[0], self.used.train)

    def _folds(self, whole: Examples, turn: int) -> list[list[int]]:
        seed = self.fitting.recipe.seed + turn
        return folds_of(whole, self.folds, seed=seed, stratify=self.fitting.task.strata)

    def _scorer(self, contender: _Contender, outputs: Sequence[Any], examples: Examples, state: Any) -> Scorer:
        decode = contender.formulation.decode
        answers = [decode(side, rows, state) for side, rows in outputs]
        scorer: Scorer = self.fitting.task.scorer(answers, list(examples), state)
        return scorer

    def _trials(self, best: _Contender) -> Iterator[Trial]:
        """Give what is to be known of all candidates."""
        for one in self.contenders:
            low, high = (None, None) if one.scores is None else ends(one.scores)
            yield _trial(
                one.candidate,
                metric=self.metric,
                score=None if one.scores is None else float(one.scores[0]),
                low=low,
                high=high,
                examples=len(self.used.train if self.folds else self.splits.dev),
                folds=self.folds,
                steps=one.steps,
                seconds=round(one.seconds, 3),
                is_chosen=one is best,
                why_not=one.why_not,
            )
        yield from self.left_out

    def _faults(self) -> str:
        return " ".join(f"{one.candidate.name}: {one.why_not}" for one in self.contenders)


FOLDS = 5
"""Where there is no dev, and the choice names none."""


def told(trials: Sequence[Trial]) -> str:
    """Return what was chosen, and what else was tried, in a line."""
    best = [str(one) for one in trials if one.is_chosen]
    others = [str(one) for one in trials if not one.is_chosen and one.score is not None]
    return "; ".join([*best, *others])


def _trial(candidate: Candidate, **known: Any) -> Trial:  # Any: the fields of a trial
    return Trial(adaptation=candidate.name, options=dict(candidate.options), **known)


def _mean(scorers: Sequence[Scorer]) -> Scorer:
    """Return the mean of what several passes over the same examples score."""

    def score(indices: NDArray[np.int64]) -> dict[str, float]:
        found = [scorer(indices) for scorer in scorers]
        return {name: float(np.mean([one[name] for one in found if name in one])) for name in found[0]}

    return score


