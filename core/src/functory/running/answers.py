"""Answers to many inputs, each with its row: what has no answer keeps its place, and says why.

Apart from `Function.map`, which gives outputs alone and stops at the first input that is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from functory.errors import DataError, FunctoryError, GenerationError, InputError, TooLong

if TYPE_CHECKING:
    from functory.contracts.task import Output
    from functory.function import Function

OF_ONE_ROW = (InputError, DataError, TooLong, GenerationError)
"""What may be wrong with one input alone; anything else is wrong with the function or the machine."""


@dataclass(frozen=True, slots=True)
class Question:
    """One input of many.

    :param row: its number, from 1.
    :param where: its place: ``stdin, line 3``.
    :param given: what was given, by column.
    :param value: the task's Input; None where it is none.
    :param error: what is wrong with it.
    """

    row: int
    where: str
    given: Mapping[str, Any] = field(default_factory=dict)
    value: Any = None
    error: FunctoryError | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The output for one input, or why there is none."""

    question: Question
    output: Output | None = None
    error: FunctoryError | None = None


def answers(function: Function, lists: Iterable[Sequence[Question]], *, stops: bool = False) -> Iterator[list[Answer]]:
    """Answer lists of questions, each list at once.

    :param stops: raise the first error, after the answers before it; else it stands in the place of its answer.
    :raises FunctoryError: where `stops`, with the place of the row; else only for what is not the matter of one row.
    """
    for questions in lists:
        found = _answered(function, questions)
        sound = list(takewhile(lambda answer: answer.error is None, found)) if stops else found
        if sound:
            yield sound
        for answer in found[len(sound) :]:
            if answer.error is not None:
                raise answer.error


def _answered(function: Function, questions: Sequence[Question]) -> list[Answer]:
    """Answer questions, those that are none in their places."""
    sound = [question for question in questions if question.error is None]
    outputs = iter(_computed(function, [question.value for question in sound]))
    return [
        _answer(question, question.error if question.error is not None else next(outputs)) for question in questions
    ]


def _answer(question: Question, found: Output | FunctoryError) -> Answer:
    if isinstance(found, FunctoryError):
        return Answer(question, error=found.located(question.where))
    return Answer(question, found)


def _computed(function: Function, values: Sequence[Any]) -> list[Any]:
    """Return the output of each input, or its error. Where one of them fails all, they are halved until it is found."""
    if not values:
        return []
    try:
        return list(function.map(values, progress=False))
    except OF_ONE_ROW as error:
        if len(values) == 1:
            return [error]
    middle = len(values) // 2
    return [*_computed(function, values[:middle]), *_computed(function, values[middle:])]
