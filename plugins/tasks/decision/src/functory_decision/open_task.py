"""The contract of decisions whose questions come with the text: nothing is built for one, and any may be asked. No torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from functory_decision.measuring import is_right
from functory_decision.open_asking import OpenAsking
from functory_decision.open_types import AnsweredQuestions, AskedText, Decisions, OpenOptions, Untaught
from functory_decision.questions import Question, name_of
from functory_sdk import Array, BackboneSpec, DataError, Formulation, Judgement, Scorer, Suited, Task

GOLDEN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("I was charged twice for one order.", {"refund": "Is a refund asked for?", "team": "billing, sales"}),
    ("ok", {"urgency": "How urgent is it? 1..3"}),
    ("这个包裹晚到了三天，不过东西质量不错。", {"评价": "正面，负面"}),
)
"""What is replayed: each kind of question, in two scripts."""


class OpenDecide(Task[OpenOptions]):
    """Answers typed questions that come with the text: choices, yes or no, numbers between two bounds."""

    Input: ClassVar = AskedText
    Output: ClassVar = Decisions
    Example: ClassVar = AnsweredQuestions
    State: ClassVar = Untaught
    shorthand: ClassVar[tuple[str, ...]] = ("text", "questions")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "state", "文本"), "questions": ("questions", "问题"), "answers": ("answers", "答案")
    }  # fmt: skip
    metric: ClassVar[str] = "accuracy"
    metrics: ClassVar[Mapping[str, str]] = {
        "accuracy": "the share of all answers that are right; a number with a fraction is, where it is nearest to the level",
        "all_right": "the share of texts of which every question is answered rightly",
    }
    paper: ClassVar[str] = "Zhao et al. 2021, Calibrate Before Use: Improving Few-Shot Performance of Language Models"
    examples: ClassVar[tuple[str, ...]] = ("functory build --task open-decision --output decide",)

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        """A prompt, on a backbone that writes."""
        if not spec.has_logits or spec.architecture == "encoder":
            return {}
        return {"prompt": OpenAsking(self.options, spec)}

    def suits(self, *, has_examples: bool) -> Suited:
        """What is decided by a backbone as it is."""
        return Suited("smollm2", "zero-shot", "a backbone that writes says how likely each answer is")

    def learn(self, examples: Sequence[Any]) -> Untaught:
        return Untaught()

    def check(self, example: Any, state: Untaught) -> None:
        """:raises DataError: for a row without any answer, or with one that its question has not."""
        if not example.answers:
            raise DataError("the row answers none of its questions.", do="write answers by the questions' names.")
        for name, value in example.answers.items():
            question = example.questions.get(name)
            if question is None or not _is_possible(question, value):
                raise DataError(f"{value!r} is no answer to {name!r}.", do="give one of the question's own answers.")

    def scorer(self, outputs: Sequence[Decisions], examples: Sequence[Any], state: Untaught) -> Scorer:
        """Accuracy over all answers, and over texts."""
        right = [_right(output, example) for output, example in zip(outputs, examples, strict=True)]

        def score(chosen: Array) -> dict[str, float]:
            picked = [right[place] for place in chosen]
            every = [one for several in picked for one in several]
            return {"accuracy": float(np.mean(every)), "all_right": float(np.mean([all(one) for one in picked]))}

        return score

    def baseline(self, examples: Sequence[Any], state: Untaught) -> list[Decisions]:
        """The commonest right answer to the questions of one name; the first where it is none of this question's."""
        counts: dict[str, Counter[Any]] = {}
        for example in examples:
            for name, value in example.answers.items():
                counts.setdefault(name, Counter())[value] += 1
        found = []
        for example in examples:
            answers = {name: _commonest(one, counts.get(name, Counter())) for name, one in example.questions.items()}
            found.append(Decisions(answers=answers, scores={name: {name_of(one): 1.0} for name, one in answers.items()}))
        return found

    def judge(self, output: Decisions, example: Any, state: Untaught) -> Judgement:
        """By the questions that the example answers; how sure, of the surest wrong answer."""
        names = list(example.answers)
        wrong = [name for name, is_good in zip(names, _right(output, example), strict=True) if not is_good]
        given = tuple(f"{name} {name_of(output.answers.get(name, 'nothing'))}" for name in names)
        right = tuple(f"{name} {name_of(example.answers[name])}" for name in names)
        sure = max((output.sure(name) for name in wrong or names if name in output.answers), default=0.0)
        return Judgement(", ".join(given), ", ".join(right), not wrong, sure, given, right)

    def golden_inputs(self, state: Untaught) -> list[AskedText]:
        return [AskedText.model_validate({"text": text, "questions": questions}) for text, questions in GOLDEN]


def _right(output: Decisions, example: Any) -> list[bool]:
    """Return of each question that an example answers whether the output does so rightly."""
    given = output.answers
    return [name in given and is_right(example.questions[name], given[name], wanted) for name, wanted in example.answers.items()]


def _commonest(question: Question, counts: Counter[Any]) -> Any:  # Any: an answer
    """Return what is answered most often, among what the question may be answered with."""
    return next((value for value, _ in counts.most_common() if _is_possible(question, value)), question.values[0])


def _is_possible(question: Question, value: Any) -> bool:
    """Return whether a question has an answer."""
    if question.kind != "number":
        return any(type(one) is type(value) and one == value for one in question.values)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and float(question.low or 0) <= value <= float(question.high or 0)
