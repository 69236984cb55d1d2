"""The contract: what is learned besides φ, what is odd about data, how well. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from functory_question_answering.asking import Asking
from functory_question_answering.golds import is_moved, ways
from functory_question_answering.spans import Extraction
from functory_question_answering.types import Answer, AnsweredQuestion, AnsweringOptions, Answers, Question
from functory_sdk import (
    BackboneSpec,
    DataError,
    Examples,
    Formulation,
    Judgement,
    NotSupported,
    Options,
    Scorer,
    Suited,
    Task,
    Unit,
    answer_scorer,
    answer_scores,
    comparing,
    has_room,
    told,
)
from functory_sdk.answers import Compare

NO_ANSWER = "no answer"
ADOPTED = 120
"""Characters of the longest answer of a head made elsewhere: thirty English tokens, as transformers' own scripts look for."""
GOLDEN = (
    ("Who wrote the report?", "Ann Lee wrote the report in 1998, and Bob read it in Rome."),
    ("报告是谁写的？", "报告是王明在北京写的，李娜昨天读了它。"),
    ("Who?", "We two \U0001f468\u200d\U0001f469\u200d\U0001f467 went to \U0001f1ef\U0001f1f5, and it was fun for Zoe\u0308."),
    ("What is there?", " \t "),
    ("Where did we meet on Friday?", "The committee met in Paris on Monday, in Rome on Tuesday, in Cairo on Friday; " * 40),
)
"""Questions and contexts for replaying: in two scripts, with characters of several code points, without words, long."""


class QuestionAnswering(Task[AnsweringOptions]):
    """Finds the answer to a question in a text: which stretch of it answers, or that none does.

    Long texts are read in windows, each with the whole question; scores are of all windows together.
    """

    Options: ClassVar[type[Options]] = AnsweringOptions
    Input: ClassVar = Question
    Output: ClassVar = Answer
    Example: ClassVar = AnsweredQuestion
    State: ClassVar = Answers
    shorthand: ClassVar[tuple[str, ...]] = ("question", "context")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "question": ("question", "query", "query_text", "问题"),
        "context": ("context", "passage", "paragraph", "document", "text", "context_text", "文章", "段落"),
        "answers": ("answers", "answer", "answer_text", "detected_answers", "答案"),
        "start": ("answer_start", "start", "start_char", "answer_offset"),
        "is_impossible": ("is_impossible", "unanswerable"),
    }
    teaches_layers: ClassVar[str] = (
        "an answer shows where question and text are read together, which a frozen sentence encoder was never taught"
    )
    metric: ClassVar[str] = "f1"
    metrics: ClassVar[Mapping[str, str]] = {
        "f1": "the mean F1 of what answer and right answer share, the best of the right ones counting",
        "exact_match": "the share of answers that are a right one, case and punctuation aside",
        "answered_f1": "the same F1 over the questions that have an answer",
        "unanswered_accuracy": "the share of the questions without an answer that were given none",
    }
    paper: ClassVar[str] = "Devlin et al. 2019, BERT, section 4.2 (arXiv 1810.04805)"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task question-answering --train train-v2.0.json --backbone minilm",
        'functory run answers "Who wrote it?" "Ann Lee wrote it in Rome." --json',
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        asked: dict[str, Formulation] = {"prompt": Asking(self.options, spec)} if has_room(self.options, spec) else {}
        if spec.architecture == "encoder-decoder" and not asked:
            raise NotSupported(
                f"an answer's ends are looked for at each token of the text; {spec.reference!r} is an encoder-decoder, which "
                "gives the states of what it writes.",
                do="choose an encoder, such as minilm or e5.",
            )
        scored = {} if spec.architecture == "encoder-decoder" else {"features": Extraction(self.options, self._compare)}
        return {**scored, **asked}

    def suits(self, *, has_examples: bool) -> Suited:
        """Without examples a decoder, which is asked."""
        if has_examples:
            return super().suits(has_examples=has_examples)
        return Suited("smollm2", "zero-shot", "a decoder is asked, and held to words of the text")

    def learn(self, examples: Sequence[AnsweredQuestion]) -> Answers:
        """How long answers are, and whether there may be none.

        :raises DataError: where no example has an answer.
        """
        if not examples:
            return Answers(may_lack=self._may_lack, longest=self.options.longest or ADOPTED)
        lengths = [len(gold.text) for example in examples for gold in example.answers]
        if not lengths:
            raise DataError(
                f"none of {len(examples):,} questions has an answer.", do="give examples with answers, at least some."
            )
        longest = self.options.longest or max(30, int(1.5 * np.quantile(lengths, 0.99)))
        lacks = any(not example.answers for example in examples) if self.options.unanswered == "auto" else self._may_lack
        return Answers(may_lack=lacks, longest=longest)

    @property
    def _may_lack(self) -> bool:
        return self.options.unanswered == "some"

    def adopt(
        self, labels: Sequence[str], *, unit: Unit = "text", is_multi: bool | None = False
    ) -> tuple[Answers, Sequence[int]]:
        """Scores of an answer's two ends, as transformers' …ForQuestionAnswering gives them."""
        if unit != "span":
            raise self.refuses(unit, "scores of an answer's two ends")
        return Answers(may_lack=self._may_lack, longest=self.options.longest or ADOPTED), range(len(labels))

    def remarks(self, state: Answers) -> Sequence[str]:
        said = "an answer is always given: unanswered = 'some' where the model was taught that there may be none"
        limit = f"answers have at most {state.longest} characters"
        return (limit,) if state.may_lack else (limit, said)

    def check(self, example: AnsweredQuestion, state: Answers) -> None:
        if self.options.offsets == "refuse" and (moved := next(filter(is_moved, example.answers), None)):
            why = ways(moved, example.context)
            raise DataError(
                f"{moved.text!r} stands from {moved.starts[0]} on, and not from {moved.given}.",
                where="answers",
                do=f"these offsets are counted {why}: convert them to characters from 0." if why else
                "correct the offset, or leave it out; offsets = 'repair' takes the nearest place.",
            )  # fmt: skip

    def audit(self, found: Examples) -> Sequence[str]:
        """Say how many answers do not stand at their offsets, and how many without one stand at several places."""
        golds = [(gold, example, place) for example, place in zip(found, found.places, strict=True) for gold in example.answers]
        notes = []
        if moved := [one for one in golds if is_moved(one[0])]:
            gold, example, place = moved[0]
            why = f": it was counted {ways(gold, example.context)}" if ways(gold, example.context) else ""
            notes.append(
                f"{len(moved):,} of {len(golds):,} answers do not stand at their offset, the first {gold.text!r} in {place} "
                f"(given {gold.given}, found {gold.starts[0]}{why}): the nearest place was taken."
            )
        if several := [one for one in golds if len(one[0].starts) > 1]:
            gold, _, place = several[0]
            notes.append(
                f"{len(several):,} of {len(golds):,} answers have no offset and stand at several places, the first {gold.text!r} "
                f"in {place} at {len(gold.starts)}: any of them counts as right."
            )
        return notes

    def scorer(self, outputs: Sequence[Answer], examples: Sequence[AnsweredQuestion], state: Answers) -> Scorer:
        golds = [[gold.text for gold in example.answers] for example in examples]
        lacks = np.asarray([not wanted for wanted in golds], dtype=bool)
        found = answer_scores([output.answer for output in outputs], golds, self._compare(examples))
        return answer_scorer(found, lacks, tells_lack=bool(lacks.any()))

    def judge(self, output: Answer, example: AnsweredQuestion, state: Answers) -> Judgement:
        """Right as `exact_match` has it."""
        wanted = [gold.text for gold in example.answers]
        [[exact, _]] = answer_scores([output.answer], [wanted], self._compare([example]))
        given = NO_ANSWER if output.answer is None else output.answer
        return Judgement(given, told(list(dict.fromkeys(wanted))) if wanted else NO_ANSWER, bool(exact), output.score)

    def baseline(self, examples: Sequence[AnsweredQuestion], state: Answers) -> Sequence[Answer]:
        """No answer to any question."""
        return [Answer(answer=None, score=1.0)] * len(examples)

    def golden_inputs(self, state: Answers) -> Sequence[Question]:
        return [Question(question=question, context=context) for question, context in GOLDEN]

    def _compare(self, examples: Sequence[Any]) -> Compare:
        """Return how answers to some questions are compared with the right ones."""
        return comparing(self.options.scorer, [example.question for example in examples])
