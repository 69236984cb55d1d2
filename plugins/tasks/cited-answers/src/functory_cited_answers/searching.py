"""A composite: a search finds the passages, and a question is answered from these (Lewis et al. 2020)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from functory_cited_answers.measuring import METRICS, scorer
from functory_cited_answers.types import Answered, Asked, CitedAnswer, listed
from functory_sdk import Judgement, NotBlank, Options, Scorer, State, Task, answer_scores, comparing, told


class Question(Asked):
    """A question, and the texts among which passages are found; a search that has a store of its own needs none."""

    passages: Annotated[tuple[NotBlank, ...], BeforeValidator(listed)] = Field(
        default=(), description="The texts that are searched; those of the search's own store where none are given."
    )


class AnsweredQuestion(Answered, Question):
    """A question with what answers it."""

    passages: Annotated[tuple[NotBlank, ...], BeforeValidator(listed)] = Field(
        default=(), description="The texts that are searched; those of the search's own store where none are given."
    )


class SearchedOptions(Options):
    """Options of answers from what is found."""

    read: int = Field(default=4, ge=1, le=1000, description="How many of the texts that are found are read, the nearest first.")


class SearchedAnswers(Task[SearchedOptions]):
    """Answers a question from many texts: the nearest are found first, and the answer cites those that say it."""

    Options: ClassVar[type[Options]] = SearchedOptions
    Input: ClassVar = Question
    Output: ClassVar = CitedAnswer
    Example: ClassVar = AnsweredQuestion
    shorthand: ClassVar[tuple[str, ...]] = ("question", "passages")
    parts: ClassVar[Mapping[str, str]] = {"passages": "search", "answers": "cited-answers"}
    metric: ClassVar[str] = "f1"
    metrics: ClassVar[Mapping[str, str]] = METRICS
    paper: ClassVar[str] = "Lewis et al. 2020, Retrieval-Augmented Generation for Knowledge-Intensive NLP Tasks"
    examples: ClassVar[tuple[str, ...]] = ('functory run answers "Who wrote it?" \'["Ann Lee wrote it."]\' --json',)

    def compose(self, parts: Mapping[str, Any], inputs: Sequence[Question]) -> list[CitedAnswer]:
        queries = [{"query": one.question, "candidates": list(one.passages)} for one in inputs]
        found = [_first(one, self.options.read) for one in parts["passages"].map(queries, progress=False)]
        asked = [{"question": one.question, "passages": [*some]} for one, some in zip(inputs, found, strict=True)]
        answers = parts["answers"].map(asked, progress=False)
        return [_numbered(answer, list(some.values())) for answer, some in zip(answers, found, strict=True)]

    def explained(self, output: CitedAnswer) -> dict[str, float]:
        """The answer."""
        return {output.answer or "no answer": output.score}

    def scorer(self, outputs: Sequence[CitedAnswer], examples: Sequence[Answered], state: State) -> Scorer:
        return scorer(outputs, examples, comparing("auto", [example.question for example in examples]))

    def judge(self, output: CitedAnswer, example: Answered, state: State) -> Judgement:
        [[exact, _]] = answer_scores([output.answer], [example.answers], comparing("auto", [example.question]))
        return Judgement(output.answer or "no answer", told(list(example.answers)), bool(exact), output.score)

    def golden_inputs(self, state: State) -> list[Question]:
        texts = ("Ann Lee wrote the report in 1998.", "It rained in Rome.", "报告是王明在北京写的。")
        return [Question(question=question, passages=texts) for question in ("Who wrote the report?", "报告是谁写的？", "When?")]


def _first(found: Any, most: int) -> dict[str, int]:  # Any: what a search gives
    """Return the nearest texts, each with its number among all; one that stands there twice has its first."""
    first: dict[str, int] = {}
    for item in found.items:
        if len(first) < most:
            first.setdefault(item.text, item.index)
    return first


def _numbered(answer: CitedAnswer, numbers: Sequence[int]) -> CitedAnswer:
    """Return an answer whose citations count all the texts that were searched."""
    cited = tuple(one.model_copy(update={"passage": numbers[one.passage]}) for one in answer.citations)
    return answer.model_copy(update={"citations": cited})
