"""The contract: which questions there are, what a right answer is, how well one decides. No torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from functory_decision.asking import Asking
from functory_decision.measuring import TOLD, is_right, rows, scorer, told
from functory_decision.questions import name_of
from functory_decision.types import AnsweredText, Decided, Decision, DecisionOptions, Text, example_of, output_of
from functory_sdk import BackboneSpec, DataError, Formulation, Judgement, OptionError, Scorer, Suited, Task

GOLDEN = (
    "I was charged twice for one order, and nobody answers my calls.",
    "ok",
    "这个包裹晚到了三天，不过东西质量不错。",
    "The new museum opens on Sunday; tickets cost 12.50, and children under six go in free.",
)
"""Texts for replaying: short and long, in two scripts."""


class Decide(Task[DecisionOptions]):
    """Answers several typed questions about one text: choices, yes or no, numbers between two bounds."""

    Input: ClassVar = Text
    Output: ClassVar = Decision
    Example: ClassVar = AnsweredText
    State: ClassVar = Decided
    shorthand: ClassVar[tuple[str, ...]] = ("text",)
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "sentence", "review", "content", "message", "body", "state", "文本", "内容", "评论")
    }
    metric: ClassVar[str] = "accuracy"
    metrics: ClassVar[Mapping[str, str]] = TOLD
    paper: ClassVar[str] = "Zhao et al. 2021, Calibrate Before Use: Improving Few-Shot Performance of Language Models"
    examples: ClassVar[tuple[str, ...]] = (
        "functory decide \"The food was cold.\" 'mood=positive, negative' 'refund=Does the guest want the money back?'",
        "functory build --task decision --set 'questions={mood = \"positive, negative\", stars = \"1..5\"}' --output ticket",
    )

    def __init__(self, options: DecisionOptions | None = None) -> None:
        super().__init__(options)
        questions = self.options.questions
        # What a class says of all its tasks, an instance says of itself alone: mypy knows no such variable.
        self.Output, self.Example = output_of(questions), example_of(questions)  # type: ignore[misc]
        self.columns = {**self.columns, **{name: (name,) for name in questions}}  # type: ignore[misc]
        self.metrics = told(questions)  # type: ignore[misc]
        numbers = tuple(f"{name}_error" for name, one in questions.items() if one.kind == "number")
        self.lower_is_better = numbers  # type: ignore[misc]

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        """A prompt, on a backbone that writes."""
        if not spec.has_logits or spec.architecture == "encoder":
            return {}
        return {"prompt": Asking(self.options, self.Output, spec)}

    def suits(self, *, has_examples: bool) -> Suited:
        """What is decided by a backbone as it is; examples tune it."""
        why = "a backbone that writes says how likely each answer is; examples, where there are some, calibrate it"
        return Suited("smollm2", "zero-shot", why)

    def learn(self, examples: Sequence[Any]) -> Decided:
        """:raises OptionError: where no question is asked."""
        if not self.options.questions:
            raise OptionError(
                "a decision needs questions, and there are none.",
                do="give questions = a pydantic model, or a table: questions = {mood = 'positive, negative'}.",
                field="questions",
            )
        return Decided()

    def check(self, example: Any, state: Decided) -> None:
        """:raises DataError: for a row without any answer."""
        if all(getattr(example, name) is None for name in self.options.questions):
            raise DataError(
                f"the row answers none of the questions: {', '.join(self.options.questions)}.",
                do="give a column for each, or name it: columns = {question = 'COLUMN'}.",
            )

    def scorer(self, outputs: Sequence[Decision], examples: Sequence[Any], state: Decided) -> Scorer:
        return scorer(outputs, examples, self.options.questions)

    def baseline(self, examples: Sequence[Any], state: Decided) -> list[Decision]:
        """The commonest right answer to each question; of numbers the one in the middle."""
        answers = {name: self._commonest(name, examples) for name in self.options.questions}
        scores = {name: {name_of(answer): 1.0} for name, answer in answers.items()}
        return [self.Output(**answers, scores=scores)] * len(examples)

    def breakdown(self, outputs: Sequence[Decision], examples: Sequence[Any], state: Decided) -> Mapping[str, Any]:
        return {"per_class": list(rows(outputs, examples, self.options.questions))}

    def judge(self, output: Decision, example: Any, state: Decided) -> Judgement:
        """By the questions that the example answers; how sure, of the surest wrong answer."""
        questions = {name: one for name, one in self.options.questions.items() if getattr(example, name) is not None}
        wanted = {name: getattr(example, name) for name in questions}
        wrong = [name for name, one in questions.items() if not is_right(one, output.answers[name], wanted[name])]
        sure = max(output.sure(name) for name in wrong or questions)
        given = tuple(f"{name} {name_of(output.answers[name])}" for name in questions)
        pairs = zip(questions, given, strict=True)
        right = tuple(f"{name} {name_of(wanted[name])}" if name in wrong else one for name, one in pairs)
        return Judgement(", ".join(given), ", ".join(right), not wrong, sure, given, right)

    def golden_inputs(self, state: Decided) -> list[Text]:
        return [Text(text=text) for text in GOLDEN]

    def _commonest(self, name: str, examples: Sequence[Any]) -> Any:  # Any: an answer
        """Return what a question is answered most often with; of numbers the middle, which is nearest to all."""
        question = self.options.questions[name]
        given = [value for example in examples if (value := getattr(example, name)) is not None]
        if not given:
            return question.values[0]
        if question.kind == "number":
            return sorted(given)[(len(given) - 1) // 2]
        counts = Counter(given)
        return max(question.values, key=lambda value: counts[value])
