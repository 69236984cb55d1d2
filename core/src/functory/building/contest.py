"""Who stands in a choice: the candidates that are installed, go with task and backbone, and keep to the budget; and what decides.

Apart from `choosing`, which fits them, because a build asks before it looks at its data which rows of them will train.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from functory.building.parts import component
from functory.contracts.adaptation import Candidate, Choice, TrainingOptions
from functory.contracts.backbone import BackboneSpec
from functory.contracts.component import Part
from functory.contracts.formulation import Formulation
from functory.contracts.putting import chosen
from functory.data import Splits
from functory.data.kin import kin
from functory.errors import NotSupported, UnknownComponent
from functory.function import Function
from functory.measuring.trials import Trial

FOLDS = 5
"""Where there is no dev, and the choice names none."""


@dataclass
class Contender:
    """A candidate that can be fitted here, and how it did.

    :param candidate: with the options that it is fitted with.
    :param turns: how often all rows are parted anew for it, where folds decide.
    :param outputs: what `Function.trace` gave of each example that was held out, in each turn.
    :param fit: the figures of its last fit.
    """

    candidate: Candidate
    adaptation: Any  # Any: the component
    put: str
    formulation: Formulation
    turns: int = 1
    outputs: list[list[Any]] = field(default_factory=list)
    function: Function | None = None
    fit: Mapping[str, Any] = field(default_factory=dict)
    scores: NDArray[np.float64] | None = None
    steps: int = 0
    seconds: float = 0.0
    why_not: str = ""


@dataclass(frozen=True)
class Contest:
    """Those that contend, and how.

    :param choice: what the adaptation asked for.
    :param left_out: the others.
    :param folds: in how many parts rows are to be held out in turn; 0 where dev decides.
    :param is_dev_given: whether the user gave dev.
    """

    choice: Choice
    contenders: list[Contender]
    left_out: list[Trial]
    folds: int
    is_dev_given: bool

    @classmethod
    def of(
        cls, choice: Choice, task: Any, spec: BackboneSpec, put: str, splits: Splits, *, is_dev_given: bool
    ) -> Contest:  # Any: the component
        """Return who contends.

        :param put: the formulation that the recipe asks for; each candidate's best when empty.
        :param is_dev_given: whether the user gave dev, which is then what decides.
        :raises NotSupported: when there is none.
        :raises UnknownComponent: when one that is needed is not installed.
        """
        left_out: list[Trial] = []
        found = list(_contenders(choice, task, spec, put, left_out))
        is_folded = len(found) > 1 and (not len(splits.dev) or (bool(choice.folds) and not is_dev_given))
        if is_folded and len(kin(with_dev(splits).train, task.strata, 1 / (choice.folds or FOLDS))) < 2:
            found, is_folded = found[:1], False  # there is nothing to hold out
        contest = cls(choice, found, left_out, (choice.folds or FOLDS) if is_folded else 0, is_dev_given)
        for one in found:
            contest._keep_to_the_budget(one, spec)
        return contest

    @property
    def is_refitted(self) -> bool:
        """Whether the one that dev decides for is fitted once more, to the rows of dev too."""
        return self.choice.is_refitted and not self.folds and not self.is_dev_given and len(self.contenders) > 1

    def used(self, splits: Splits) -> Splits:
        """Return the splits with which the choice begins: what folds hold out trains in the end, dev too."""
        return with_dev(splits) if self.folds else splits

    def _keep_to_the_budget(self, one: Contender, spec: BackboneSpec) -> None:
        """Let one that trains layers take no more steps, and no more turns, than it may; its own options go before."""
        given, choice = dict(one.candidate.options), self.choice
        is_layered = one.adaptation.cut(spec) != spec.points
        one.turns = (is_layered and choice.repeats_of_layers) or choice.repeats
        options, fits = one.adaptation.options, self.folds * one.turns + 1 + self.is_refitted
        if not is_layered or not choice.most_steps or not isinstance(options, TrainingOptions) or "most_steps" in given:
            return
        most = max(1, choice.most_steps // fits)
        given["most_steps"] = min(options.most_steps or most, most)
        one.candidate = replace(one.candidate, options=given)
        one.adaptation = component("adaptations", Part(name=one.candidate.name, options=given))


def with_dev(splits: Splits) -> Splits:
    """Return splits whose train has the examples of dev too."""
    train, dev = splits.train, splits.dev
    if not len(dev):
        return splits
    whole = replace(train, items=(*train.items, *dev.items), places=(*train.places, *dev.places))
    return replace(splits, train=whole, dev=dev.take(()))


def trial(candidate: Candidate, **known: Any) -> Trial:  # Any: the fields of a trial
    """Return what is to be known of a candidate."""
    return Trial(adaptation=candidate.name, options=dict(candidate.options), **known)


def _contenders(
    choice: Choice, task: Any, spec: BackboneSpec, put: str, left_out: list[Trial]
) -> Iterator[Contender]:  # Any: the component
    """Give the candidates that are installed, and that task and backbone go with; note the others.

    :raises NotSupported: when there is none.
    """
    found, faults = 0, []
    for one in choice.candidates:
        try:
            adaptation = component("adaptations", Part(name=one.name, options=dict(one.options)))
            name, formulation = chosen(task, spec, adaptation, put or one.put)
        except UnknownComponent:
            if one.is_needed:
                raise
        except NotSupported as error:
            faults.append(error)
            left_out.append(trial(one, why_not=error.what))
        else:
            found += 1
            yield Contender(one, adaptation, name, formulation)
    if not found:
        raise faults[0] if faults else NotSupported("there is no candidate to choose.", do="name an adaptation.")
