"""What both ways of choosing have in common: scores of options become an answer, and what can be explained of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from functory_multiple_choice.types import AnsweredQuestion, Choice, Question
from functory_sdk import Array, Formulation, Row, Target, TrustState, log_odds, nearest, prediction_set
from functory_sdk.temperature import fitted_temperature, surprise


@dataclass(frozen=True, slots=True)
class Side:
    """What is kept of a question.

    :param options: as they were given.
    :param of_row: which option each row is of; the first rows are one of each, in their order.
    :param units: what each option's likelihood is divided by.
    :param notes: of the output.
    """

    options: tuple[str, ...]
    of_row: tuple[int, ...]
    units: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


class Choosing(Formulation):
    """An option is a row or more; the options' scores share one whole."""

    port: ClassVar[str]
    """The output that an option is scored by."""

    @abstractmethod
    def scores(self, side: Side, outputs: Sequence[Row]) -> Array:
        """Return a score for each option, (options,): their differences are those of log-probabilities."""

    def decode(self, side: Side, outputs: Sequence[Row], state: Any) -> Choice:
        shares = np.exp(self._shares(side, outputs, state))
        best = int(shares.argmax())
        scored = {option: round(float(share), 6) for option, share in zip(side.options, shares, strict=True)}
        chosen = side.options[best]
        made = Choice(choice=chosen, index=best, score=scored[chosen], scores=scored, notes=side.notes)
        changed: dict[str, Any] = {"prediction_set": prediction_set(scored, state)} if state.sets else {}
        if state.declines(made.score):
            changed |= {"choice": None, "index": None, "abstained": True}
        return made.model_copy(update=changed) if changed else made

    def lead(self, side: Side, outputs: Sequence[Row], state: Any) -> float:
        """How far the two likeliest options are apart, or a probability from where a promise makes another answer."""
        shares = np.exp(self._shares(side, outputs, state))
        first, second = np.sort(shares)[::-1][:2]
        scored = dict(zip(side.options, shares.tolist(), strict=True))
        return min(float(first - second), nearest(float(first), scored, state))

    def calibrate(
        self, sides: Sequence[Side], outputs: Sequence[Sequence[Row]], examples: Sequence[AnsweredQuestion], state: TrustState
    ) -> TrustState:
        """Choose the temperature at which the right options are likeliest."""
        scores = [self.scores(side, rows) for side, rows in zip(sides, outputs, strict=True)]
        right = [example.place or 0 for example in examples]

        def loss(temperature: float) -> float:
            shares = [among(one / temperature)[place] for one, place in zip(scores, right, strict=True)]
            return surprise(np.exp(shares))

        return state.model_copy(update={"temperature": fitted_temperature(loss, len(scores))})

    def targets(self, output: Choice, side: Side, state: Any) -> list[Target]:
        order = sorted(range(len(side.options)), key=lambda place: -output.scores[side.options[place]])
        return [Target(name=side.options[place], port=self.port, index=(), row=place, scale="log") for place in order]

    def value(self, target: Target, side: Side, outputs: Sequence[Row], state: Any) -> float:
        """The log-probability of the option among them all: what its score is."""
        return float(self._shares(side, outputs, state)[target.row or 0])

    def evidence(self, target: Target, side: Side, outputs: Sequence[Row], state: Any) -> float:
        """The log-odds of the option against the others."""
        return log_odds(self._shares(side, outputs, state), (target.row or 0,))

    def _shares(self, side: Side, outputs: Sequence[Row], state: TrustState) -> Array:
        """Return the log-probability of each option among them all, (options,)."""
        return among(self.scores(side, outputs) / state.temperature)


def among(scores: Array) -> Array:
    """Return the log-probability of each option, (options,), from scores."""
    shares: Array = scores - np.logaddexp.reduce(scores)
    return shares


def numbers(outputs: Sequence[Row], port: str) -> Array:
    """Return the number of each row, (rows,)."""
    return np.asarray([float(output[port]) for output in outputs], dtype=np.float64)


def texts_of(value: Question, option: str) -> tuple[str, ...]:
    """Return what is read in a row: the context, where there is one, the question, an option."""
    return (value.context, value.question, option) if value.context.strip() else (value.question, option)
