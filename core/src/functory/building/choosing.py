"""Fits the candidates among which an adaptation chooses, holds them against each other, and goes on with the best.

What decides is how each does on rows that its fit has not seen: those of dev, or every row in its turn, where dev would be too
few to choose by and too many to do without. Nothing hangs on the clock.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from functory.building.calibrating import calibrated_on
from functory.building.contest import Contender, Contest, trial, with_dev
from functory.building.fitting import Fitting, counted, traced, tuned, tuned_on
from functory.building.parts import component
from functory.contracts.adaptation import TrainingOptions
from functory.contracts.component import Part
from functory.data import Examples, Splits
from functory.data.splits import folds_of
from functory.errors import NotSupported, TrainingError
from functory.function import Function
from functory.measuring.intervals import Scorer
from functory.measuring.trials import Trial, drawn, ends, preferred


class Choosing:
    """A choice under way.

    :param fitting: what all fits have in common.
    :param contest: who contends, and how.
    :param splits: as the contest uses them.
    """

    def __init__(self, fitting: Fitting, contest: Contest, splits: Splits) -> None:
        self.fitting, self.splits, self.contest = replace(fitting, taken=[]), splits, contest
        self.choice, self.contenders = contest.choice, contest.contenders
        self._parts: dict[int, list[list[int]]] = {}
        self.folds = 0  # as there are in the end: of few different inputs fewer than were asked for
        self.metric = ""

    @property
    def used(self) -> Splits:
        """The splits as they are used in the end."""
        return with_dev(self.splits) if self.contest.is_refitted else self.splits

    def made(self, folder: Path | None) -> Function:
        """Fit the candidates, and return the function of the one that is preferred, with what was tried.

        :param folder: the run's, where the user named one; each fit has a folder of its own within.
        :raises TrainingError: when none could be fitted.
        """
        try:
            function = self._alone(folder) if len(self.contenders) == 1 else self._preferred(folder)
        finally:
            if self.fitting.taken:
                self.fitting.tell(_taken_told(self.fitting.taken))
        return function

    def _alone(self, folder: Path | None) -> Function:
        """Return the function of the only contender: nothing is held against it."""
        [only] = self.contenders
        return tuned(self._whole(only, self.splits, folder), self.splits.dev)

    def _preferred(self, folder: Path | None) -> Function:
        """Return the function of the contender that does best.

        :raises TrainingError: when none could be fitted.
        """
        for number, contender in enumerate(self.contenders):
            self._try(contender, None if folder is None else folder / f"{number + 1}-{contender.candidate.name}")
        tried = [one for one in self.contenders if one.scores is not None]
        if not tried:
            raise TrainingError(
                f"none of the candidates could be fitted. {self._faults()}", do="name an adaptation, and look at your data."
            )
        best = tried[preferred([one.scores for one in tried if one.scores is not None], self.choice.certainty)]
        for one in self.contenders:
            if one.function is not None and (one is not best or self.contest.is_refitted):
                one.function.close()
        kept = None if self.contest.is_refitted else best.function
        function = kept or self._refitted(best, folder)
        trials = tuple(self._trials(best))
        self.fitting.tell(said := f"{function.about.name}: chosen on held-out examples: {told(trials)}.")
        about = replace(function.about, tried=trials, notes=(*function.about.notes, said))
        return function.replaced(about=about)

    def _try(self, contender: Contender, folder: Path | None) -> None:
        """Fit a candidate and score it; one that cannot be fitted is told, and left behind."""
        started = time.perf_counter()
        if self._is_behind(contender):
            contender.why_not = f"{contender.candidate.unless} is tried in its place."
            return
        try:
            scorer, examples = self._on_folds(contender, folder) if self.contest.folds else self._on_dev(contender, folder)
        except (NotSupported, TrainingError) as error:
            contender.why_not = error.what
            self.fitting.tell(f"{contender.candidate.name} is out of the choice: {error.what}")
        else:
            everything = scorer(np.arange(examples, dtype=np.int64))
            self.metric = self.metric or self.fitting.task.deciding(everything)
            contender.scores = drawn(scorer, examples, self.metric)
        contender.seconds = time.perf_counter() - started

    def _is_behind(self, contender: Contender) -> bool:
        """Whether it is tried only where another cannot be fitted, and that one was."""
        other = contender.candidate.unless
        return any(one.candidate.name == other and one.scores is not None for one in self.contenders)

    def _on_dev(self, contender: Contender, folder: Path | None) -> tuple[Scorer, int]:
        """Fit a candidate to train, and score it on dev."""
        dev = self.splits.dev
        function = self._whole(contender, self.splits, folder)
        outputs = traced(function, dev)
        contender.outputs.append(outputs)
        function = contender.function = tuned_on(function, outputs, dev)
        return self._scorer(contender, outputs, dev, function.state), len(dev)

    def _on_folds(self, contender: Contender, folder: Path | None) -> tuple[Scorer, int]:
        """Fit a candidate to all folds but one, for each, and score it on what each fit had not seen."""
        whole, scorers = self.splits.train, []
        for turn in range(contender.turns):
            outputs: list[Any] = [None] * len(whole)
            parts = self._folds(whole, turn)
            self.folds = len(parts)
            for number, held in enumerate(parts):
                rest = sorted(set(range(len(whole))) - set(held))
                fitted = Splits(whole.take(rest), whole.take(()), whole.take(()))
                place = None if folder is None else folder / f"{turn + 1}.{number + 1}"
                with closing(self._whole(contender, fitted, place, f"{turn + 1}.{number + 1}")) as function:
                    for index, found in zip(held, traced(function, whole.take(held)), strict=True):
                        outputs[index] = found
            contender.outputs.append(outputs)
            scorers.append(self._scorer(contender, outputs, whole, self.fitting.state))
        return _mean(scorers), len(whole)

    def _whole(self, contender: Contender, splits: Splits, folder: Path | None, part: str = "") -> Function:
        """Return the function of a candidate, fitted to a split's train."""
        function = self.fitting.attached(contender.adaptation, contender.put, contender.formulation)
        name = "" if len(self.contenders) == 1 and not part else f"{contender.candidate.name} {part}".strip()
        among = self.splits.train if self.contest.folds else None
        function = self.fitting.fitted(function, splits, folder, name, among=among)
        contender.fit = function.about.data["fit"]
        contender.steps += int(contender.fit.get("steps", 0))
        return function

    def _refitted(self, best: Contender, folder: Path | None) -> Function:
        """Return the function of the preferred candidate, fitted to every row, those that were held out too.

        The task tunes on what was held out; what folds held out calibrates the scores too, where nothing else may.
        """
        held = self.splits.train if self.contest.folds else self.splits.dev
        if not self.contest.folds:
            self._end_where_dev_did(best)
        function = self._whole(best, self.used, None if folder is None else folder / "chosen")
        data = {"fit": function.about.data["fit"], **counted(self.used)}
        function = function.replaced(about=replace(function.about, data=data))
        if self.contest.folds and not len(self.splits.untouched):
            function = calibrated_on(function, best.outputs[0], held)
        return tuned_on(function, best.outputs[0], held)

    def _end_where_dev_did(self, best: Contender) -> None:
        """Let what is fitted to dev too, and chosen by nothing any more, take as many passes over its rows as dev found best."""
        found, options = best.fit.get("best_step"), best.adaptation.options
        if not found or not isinstance(options, TrainingOptions):
            return
        steps = math.ceil(found * len(self.used.train) / len(self.splits.train))
        given = {**best.candidate.options, "most_steps": min(steps, options.most_steps or steps)}
        best.adaptation = component("adaptations", Part(name=best.candidate.name, options=given))

    def _folds(self, whole: Examples, turn: int) -> list[list[int]]:
        """Return what a turn holds out, the same for every contender."""
        if turn not in self._parts:
            seed = self.fitting.recipe.seed + turn
            self._parts[turn] = folds_of(whole, self.contest.folds, seed=seed, stratify=self.fitting.task.strata)
        return self._parts[turn]

    def _scorer(self, contender: Contender, outputs: Sequence[Any], examples: Examples, state: Any) -> Scorer:
        decode = contender.formulation.decode
        answers = [decode(side, rows, state) for side, rows in outputs]
        scorer: Scorer = self.fitting.task.scorer(answers, list(examples), state)
        return scorer

    def _trials(self, best: Contender) -> Iterator[Trial]:
        """Give what is to be known of all candidates."""
        for one in self.contenders:
            low, high = (None, None) if one.scores is None else ends(one.scores)
            yield trial(
                one.candidate,
                metric=self.metric,
                score=None if one.scores is None else float(one.scores[0]),
                low=low,
                high=high,
                examples=len(self.splits.train if self.contest.folds else self.splits.dev),
                folds=self.folds,
                steps=one.steps,
                seconds=round(one.seconds, 3),
                is_chosen=one is best,
                why_not=one.why_not,
            )
        yield from self.contest.left_out

    def _faults(self) -> str:
        return " ".join(f"{one.candidate.name}: {one.why_not}" for one in self.contenders)


def told(trials: Sequence[Trial]) -> str:
    """Return what was chosen, and what else was tried, in a line."""
    best = [str(one) for one in trials if one.is_chosen]
    others = [str(one) for one in trials if not one.is_chosen and one.score is not None]
    return "; ".join([*best, *others])


def _mean(scorers: Sequence[Scorer]) -> Scorer:
    """Return the mean of what several passes over the same examples score."""

    def score(indices: NDArray[np.int64]) -> dict[str, float]:
        found = [scorer(indices) for scorer in scorers]
        return {name: float(np.mean([one[name] for one in found if name in one])) for name in found[0]}

    return score


def _taken_told(folders: Sequence[Path]) -> str:
    """Say how many fits were not made again."""
    fits = "a fit is" if len(folders) == 1 else f"{len(folders):,} fits are"
    return f"{fits} taken up from what an earlier build left, the first from {folders[0]}: nothing of that is trained again"
