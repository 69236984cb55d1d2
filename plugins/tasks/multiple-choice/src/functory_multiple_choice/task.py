"""The contract: which ways of choosing there are, how answers are told in data, how well one chooses. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from functory_multiple_choice.likelihood import LikelyOptions
from functory_multiple_choice.scoring import Scoring, worth
from functory_multiple_choice.types import (
    AnsweredQuestion,
    Choice,
    ChoiceOptions,
    ChoiceState,
    Question,
    number_of,
    place_of,
)
from functory_sdk import BackboneSpec, Certainty, DataError, Formulation, Judgement, Scorer, Suited, Task

if TYPE_CHECKING:
    from functory_sdk import Examples


class MultipleChoice(Task[ChoiceOptions]):
    """Says which option answers a question: of any number of options, with a context or without."""

    Input: ClassVar = Question
    Output: ClassVar = Choice
    Example: ClassVar = AnsweredQuestion
    State: ClassVar = ChoiceState
    shorthand: ClassVar[tuple[str, ...]] = ("question", "options", "context")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "question": ("question", "goal", "ctx", "query", "stem", "startphrase", "问题", "题目"),
        "options": (
            "options", "choices", "candidates", "endings", "选项", "ending*", "option*", "choice*", "sol*", "solution*",
            "answer*", "选项*", "*",
        ),
        "context": ("context", "passage", "article", "paragraph", "document", "dialogue", "story", "文章", "材料"),
        "answer": ("answer", "label", "answerkey", "answer_key", "correct", "correct_answer", "gold", "target", "答案"),
    }  # fmt: skip
    metric: ClassVar[str] = "accuracy"
    metrics: ClassVar[Mapping[str, str]] = {
        "accuracy": "the share of questions whose answer is right",
        "mean_rank": "the place of the right option among all, the likeliest first, ties sharing the mean of theirs: 1 is best",
    }
    lower_is_better: ClassVar[tuple[str, ...]] = ("mean_rank",)
    paper: ClassVar[str] = "Richardson et al. 2013, MCTest: A Challenge Dataset for the Open-Domain Machine Comprehension of Text"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task multiple-choice --train questions.jsonl --backbone minilm --adaptation lora",
        "functory build --task multiple-choice --backbone smollm2 --test arc.jsonl",
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        found: dict[str, Formulation] = {"features": Scoring()}
        if spec.has_logits and spec.architecture != "encoder":
            found["prompt"] = LikelyOptions(self.options)
        return found

    def suits(self, *, has_examples: bool) -> Suited:
        if has_examples:
            why = "the words of an option must meet those of the question, so that layers are trained and not a head alone"
            return Suited("minilm", "lora", why, "e5")
        return super().suits(has_examples=has_examples)

    def gathered(self, field: str, cells: Mapping[str, Any]) -> Any:
        """Options in a column each. Questions may have fewer than there are columns, but none between two others is empty:
        those after it would go by other letters.
        """
        if field != "options":
            return super().gathered(field, cells)
        given = ["" if cell is None else str(cell) for cell in cells.values()]
        return tuple(given[: max((place for place, option in enumerate(given, 1) if option), default=0)])

    def prepared(self, found: Examples) -> Examples:
        """Name each answer by its option's text; what is no option stays, for `check` to refuse."""
        first = self._first_number(found)
        return replace(found, items=tuple(_named(example, first) for example in found))

    def _first_number(self, found: Examples) -> int:
        """Return the number of the first option in some data."""
        if self.options.first_number != "auto":
            return self.options.first_number
        numbered = [(number_of(one.answer), one.options) for one in found if not _is_text(one)]
        known = [(number, len(options)) for number, options in numbered if number is not None]
        return int(bool(known) and all(number for number, _ in known) and any(number == count for number, count in known))

    def learn(self, examples: Sequence[AnsweredQuestion]) -> ChoiceState:
        """How much it counts where words of an option meet those of the context."""
        return ChoiceState(lexical=worth(examples) if self.options.lexical else 0.0)

    def check(self, example: AnsweredQuestion, state: ChoiceState) -> None:
        """Refuse an answer that is no option."""
        if example.place is None:
            count = len(example.options)
            raise DataError(
                f"the answer {example.answer!r} is none of its {count} options.",
                where="answer",
                do="give the option's text, its letter, or its number from 0; data that count from 1: first_number = 1.",
            )

    def scorer(self, outputs: Sequence[Choice], examples: Sequence[AnsweredQuestion], state: ChoiceState) -> Scorer:
        ranks = np.asarray([_rank(output, example) for output, example in zip(outputs, examples, strict=True)], dtype=float)
        right = np.asarray([_likeliest(output) == example.right for output, example in zip(outputs, examples, strict=True)])
        return lambda chosen: {"accuracy": float(right[chosen].mean()), "mean_rank": float(ranks[chosen].mean())}

    def baseline(self, examples: Sequence[AnsweredQuestion], state: ChoiceState) -> list[Choice]:
        """The place at which the answer stands most often, for each question; the last, where it has fewer options."""
        places = [example.place or 0 for example in examples]
        most = max(set(places), key=lambda place: (places.count(place), -place))
        return [_at(example, min(most, len(example.options) - 1)) for example in examples]

    def certainty(self, outputs: Sequence[Choice], examples: Sequence[AnsweredQuestion], state: ChoiceState) -> Certainty:
        """Of the likeliest option, and of the right one."""
        best = [_likeliest(output) for output in outputs]
        right = [example.right for example in examples]
        return Certainty(
            sure=np.asarray([output.scores[one] for output, one in zip(outputs, best, strict=True)], dtype=float),
            is_right=np.asarray([one == other for one, other in zip(best, right, strict=True)], dtype=bool),
            is_open=np.ones(len(outputs), dtype=bool),
            set_sizes=np.asarray([len(output.prediction_set) for output in outputs], dtype=int),
            is_in_set=np.asarray([one in output.prediction_set for output, one in zip(outputs, right, strict=True)], dtype=bool),
            of_right=np.asarray([output.scores[one] for output, one in zip(outputs, right, strict=True)], dtype=float),
        )

    def judge(self, output: Choice, example: AnsweredQuestion, state: ChoiceState) -> Judgement:
        given = _likeliest(output)
        return Judgement(given, example.right, given == example.right, output.score)

    def golden_inputs(self, state: ChoiceState) -> list[Question]:
        return [
            Question(question="Where does the sun rise?", options=("in the east", "in the west", "in the north")),
            Question(
                context="女：你好，请问去火车站怎么走？男：一直往前走，过了红绿灯就到了。",
                question="女的要去哪里？",
                options=("医院", "火车站", "学校", "银行"),
            ),
            Question(question="To keep bread fresh, one should", options=("put it into a closed box.", "leave it in the rain.")),
            Question(
                context="One thing after another went wrong that day, from the first call in the morning to the last train.",
                question="How was the day?",
                options=("good", "bad", "all right", "nobody knows", "as any other"),
            ),
        ]


def _named(example: AnsweredQuestion, first: int) -> AnsweredQuestion:
    """Return an example whose answer is its option's text, where it is one of them."""
    number = None if _is_text(example) else number_of(example.answer)
    place = place_of(example.answer, example.options) if number is None else number - first
    if place is None or not 0 <= place < len(example.options):
        return example.model_copy(update={"answer": f"number {number}"}) if number is not None else example
    return example.model_copy(update={"answer": example.options[place]})


def _is_text(example: AnsweredQuestion) -> bool:
    """Whether the answer is the text of an option, whatever else it may be."""
    return isinstance(example.answer, str) and example.answer.strip() in [option.strip() for option in example.options]


def _likeliest(output: Choice) -> str:
    """Return the option that is answered, or would be where the function declines."""
    return max(output.scores, key=output.scores.__getitem__) if output.choice is None else output.choice


def _rank(output: Choice, example: AnsweredQuestion) -> float:
    """Return the place of the right option among all, from 1; options as likely as it share the mean of their places."""
    own = output.scores.get(example.right)
    if own is None:
        return len(example.options)
    alike = sum(score == own for score in output.scores.values())
    return sum(score > own for score in output.scores.values()) + (alike + 1) / 2


def _at(example: AnsweredQuestion, place: int) -> Choice:
    """Return the answer that one option is surely right."""
    scores = {option: float(number == place) for number, option in enumerate(example.options)}
    return Choice(choice=example.options[place], index=place, score=1.0, scores=scores)
