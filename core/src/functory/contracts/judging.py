"""One answer beside the right one: what lists of mistakes and comparisons of two functions are made of.

Apart from `task`, which says what is computed; its `judge` is this by default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

NOTHING = "nothing"
"""How an empty answer is told."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """An answer beside the right one, in words.

    :param given: the answer, without measures: two outputs that answer the same have the same.
    :param wanted: the right answer, likewise; None where the example has none to compare with.
    :param is_right: whether they agree; None where an answer is neither right nor wrong, as a number is.
    :param confidence: how sure the function was, 0 to 1: of what is wrong where something is; None where it does not say.
    :param parts: of an answer that has parts (entities, labels), each in words: what is wrong is told by them.
    :param wanted_parts: those of the right answer.
    """

    given: str
    wanted: str | None = None
    is_right: bool | None = None
    confidence: float | None = None
    parts: tuple[str, ...] = ()
    wanted_parts: tuple[str, ...] = ()

    @property
    def fault(self) -> str:
        """What is wrong with an answer of parts: those that should not be there, those that are lacking; else empty."""
        told_wrong = [("wrong", surplus(self.parts, self.wanted_parts)), ("lacking", surplus(self.wanted_parts, self.parts))]
        return "; ".join(f"{what}: {', '.join(parts)}" for what, parts in told_wrong if parts)


def surplus(parts: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Return the parts that are not among the others; one that is there twice counts twice."""
    from collections import Counter

    return tuple((Counter(parts) - Counter(others)).elements())


def judged(output: BaseModel, example: BaseModel, inputs: Sequence[str], common: Sequence[str]) -> Judgement:
    """Judge by the fields that both an output and an example have; where they share none, only tell the answer.

    :param inputs: the example's fields that make the input.
    :param common: the output's fields that every task has, and that are no answer.
    """
    own = [name for name in type(output).model_fields if name not in common]
    golds = [name for name in type(example).model_fields if name not in inputs and name in own]
    answer, right = output.model_dump(mode="json", include=set(own)), example.model_dump(mode="json", include=set(golds))
    given = {name: answer[name] for name in golds or own if golds or not _is_measure(answer[name])}
    confidence = _confidence(answer)
    if not golds:
        return Judgement(told(given), confidence=confidence)
    is_right = None if any(isinstance(right[name], float) for name in golds) else _agree(given, right)
    return Judgement(told(given), told(right), is_right, confidence, _parts(given), _parts(right))


def _parts(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the parts of an answer that is one list, each in words."""
    [*fields] = answer.values()
    return tuple(map(told, fields[0])) if len(fields) == 1 and isinstance(fields[0], list) else ()


def told(value: Any) -> str:  # Any: plain data
    """Return plain data in words: lists with commas, one field without its name."""
    if isinstance(value, Mapping):
        if len(value) == 1:
            return told(next(iter(value.values())))
        return ", ".join(f"{name} {told(one)}" for name, one in value.items()) or NOTHING
    if isinstance(value, list | tuple):
        return ", ".join(map(told, value)) or NOTHING
    if isinstance(value, float):
        return f"{value:.4g}"
    return NOTHING if value is None or value == "" else str(value)


def _is_measure(value: Any) -> bool:
    """Whether plain data say how much, not what: a number with a fraction, or several by name."""
    return isinstance(value, float) or (
        isinstance(value, dict) and bool(value) and all(isinstance(one, float) for one in value.values())
    )


def _agree(given: Any, wanted: Any) -> bool:
    """Whether plain data agree in all that both say."""
    if isinstance(given, dict) and isinstance(wanted, dict):
        return all(_agree(given[name], wanted[name]) for name in given.keys() & wanted.keys())
    if isinstance(given, list) and isinstance(wanted, list):
        return len(given) == len(wanted) and all(_agree(*pair) for pair in zip(given, wanted, strict=True))
    return bool(given == wanted)


def _confidence(answer: Mapping[str, Any]) -> float | None:
    """Return the largest of the answer's ``scores``, or its ``score``."""
    scores = answer.get("scores")
    if isinstance(scores, dict) and scores and _is_measure(scores):
        return float(max(scores.values()))
    score = answer.get("score")
    return float(score) if isinstance(score, float) else None
