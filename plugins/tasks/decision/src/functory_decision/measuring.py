"""How well is decided: each question by itself, all together, and where the right option stood among the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from functory_decision.questions import Question, Value
from functory_decision.types import Decision
from functory_sdk import Array, Scorer

PLACES: Mapping[str, str] = {
    "first_accuracy": "the share of choices that are right, of those whose right option is named first",
    "between_accuracy": "likewise, of those whose right option is named neither first nor last",
    "last_accuracy": "likewise, of those whose right option is named last: where the order decides, these three differ",
}
TOLD: Mapping[str, str] = {
    "accuracy": "the share of all answers that are right; a number with a fraction is, where it is nearest to the right level",
    "all_right": "the share of texts of which every question is answered rightly",
    **PLACES,
}
"""The metrics that every function has."""


def told(questions: Mapping[str, Question]) -> dict[str, str]:
    """Return every metric of a function with some questions, in words."""
    each = {f"{name}_accuracy": f"the share of right answers to {name}" for name in questions}
    errors = {
        f"{name}_error": f"how far the answer to {name} is from the right number, in the mean"
        for name, one in questions.items() if one.kind == "number"
    }  # fmt: skip
    return {**TOLD, **each, **errors}


def scorer(outputs: Sequence[Decision], examples: Sequence[Any], questions: Mapping[str, Question]) -> Scorer:
    """Return the metrics as a function of which examples count."""
    right = {name: _right(name, one, outputs, examples) for name, one in questions.items()}  # nan: not answered in the data
    every = np.stack([*right.values()], axis=1)  # (examples, questions)
    whole = np.where(np.isnan(every), 1.0, every).min(axis=1)
    figures = {"accuracy": every, "all_right": whole[:, None]}
    figures |= dict(_by_place(right, examples, questions))
    figures |= {f"{name}_accuracy": one[:, None] for name, one in right.items()}
    numbers = [name for name, one in questions.items() if one.kind == "number"]
    figures |= {f"{name}_error": _errors(name, outputs, examples)[:, None] for name in numbers}
    known = {name: found for name, found in figures.items() if not np.isnan(found).all()}
    means = {name: float(np.nanmean(found)) for name, found in known.items()}

    def score(chosen: Array) -> dict[str, float]:
        return {name: _mean(found[chosen], means[name]) for name, found in known.items()}

    return score


def is_right(question: Question, given: Value, wanted: Value) -> bool:
    """Whether an answer is the right one; of a number with a fraction, whether it is nearest to the same level."""
    return question.place_of(given) == question.place_of(wanted) if question.kind == "number" else given == wanted


def rows(outputs: Sequence[Decision], examples: Sequence[Any], questions: Mapping[str, Question]) -> Iterator[dict[str, Any]]:
    """Give a row for each answer to each question that the data hold or the function gave: how often, and how well."""
    for name, question in questions.items():
        pairs = [
            (question.place_of(getattr(example, name)), question.place_of(output.answers[name]))
            for output, example in zip(outputs, examples, strict=True) if getattr(example, name) is not None
        ]  # fmt: skip
        for place in sorted({place for pair in pairs for place in pair}):
            both = sum(true == given == place for true, given in pairs)
            given, true = sum(given == place for _, given in pairs), sum(true == place for true, _ in pairs)
            yield {
                "question": name, "answer": question.names[place], "place": place + 1,
                "precision": both / given if given else 0.0, "recall": both / true if true else 0.0,
                "f1": 2 * both / (given + true), "support": true,
            }  # fmt: skip


def _right(name: str, question: Question, outputs: Sequence[Decision], examples: Sequence[Any]) -> Array:
    """Return for each example 1 where the answer is right, 0 where it is wrong, nan where there is none, (examples,)."""
    return np.asarray([
        np.nan if (wanted := getattr(example, name)) is None else float(is_right(question, output.answers[name], wanted))
        for output, example in zip(outputs, examples, strict=True)
    ])  # fmt: skip


def _errors(name: str, outputs: Sequence[Decision], examples: Sequence[Any]) -> Array:
    """Return how far each number is from the right one, nan where there is none, (examples,)."""
    return np.asarray([
        np.nan if (wanted := getattr(example, name)) is None else abs(float(output.answers[name]) - float(wanted))
        for output, example in zip(outputs, examples, strict=True)
    ])  # fmt: skip


def _by_place(
    right: Mapping[str, Array], examples: Sequence[Any], questions: Mapping[str, Question]
) -> Iterator[tuple[str, Array]]:
    """Give what is right of the choices whose right option stands first, in between, or last, (examples, choices)."""
    choices = {name: one for name, one in questions.items() if one.kind == "choice"}
    if not choices:
        return
    places = np.stack([[_place(one, getattr(example, name)) for example in examples] for name, one in choices.items()], axis=1)
    found = np.stack([right[name] for name in choices], axis=1)
    last = np.asarray([len(one.options) - 1 for one in choices.values()])
    for metric, where in zip(PLACES, (places == 0, (places > 0) & (places < last), places == last), strict=True):
        yield metric, np.where(where, found, np.nan)


def _place(question: Question, wanted: Value | None) -> int:
    return -1 if wanted is None else question.place_of(wanted)


def _mean(found: Array, otherwise: float) -> float:
    """Return the mean of what is known; where nothing of it was drawn, another number."""
    return float(np.nanmean(found)) if not np.isnan(found).all() else otherwise
