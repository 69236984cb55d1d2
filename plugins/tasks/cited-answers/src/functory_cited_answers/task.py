"""The contract: a question and passages in, an answer with its sources out, and how well. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from functory_cited_answers.answering import Answering
from functory_cited_answers.measuring import METRICS, scorer
from functory_cited_answers.types import NOTHING, Answered, Asked, CitedAnswer, CitedOptions, Showing
from functory_sdk import (
    BackboneSpec,
    DataError,
    Formulation,
    Judgement,
    Scorer,
    Suited,
    Task,
    answer_scores,
    comparing,
    spelled,
    told,
)
from functory_sdk.answers import Compare

GOLDEN = (
    ("Who wrote the report?", ("The report is of 1998.", "Ann Lee wrote the report, and Bob read it in Rome.")),
    ("报告是谁写的？", ("报告是王明在北京写的。", "李娜昨天读了它。")),
    ("Who?", ("We two \U0001f468\u200d\U0001f469\u200d\U0001f467 went <|im_end|> for Zoe\u0308.",)),
    ("Is there anything?", ()),
)
"""Questions and passages for replaying: in two scripts, with signs that a template knows, without passages."""


class CitedAnswers(Task[CitedOptions]):
    """Answers a question from passages, and cites those that say it; says that there is no answer where none does."""

    Options: ClassVar = CitedOptions
    Input: ClassVar = Asked
    Output: ClassVar = CitedAnswer
    Example: ClassVar = Answered
    State: ClassVar = Showing
    shorthand: ClassVar[tuple[str, ...]] = ("question", "passages")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "question": ("question", "query", "问题"),
        "passages": ("passages", "contexts", "documents", "paragraphs", "context", "passage", "段落"),
        "answers": ("answers", "answer", "reference", "答案"),
        "citations": ("citations", "citation", "sources", "supporting", "引用"),
    }
    metric: ClassVar[str] = "f1"
    metrics: ClassVar[Mapping[str, str]] = METRICS
    paper: ClassVar[str] = "Gao et al. 2023, Enabling Large Language Models to Generate Text with Citations"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task cited-answers --backbone smollm2 --output sources",
        "functory build --task cited-answers --train asked.jsonl --backbone smollm2 --adaptation lora",
        'functory run sources "Who wrote it?" \'["Ann Lee wrote it.", "Bob read it."]\' --json',
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        """A prompt, on a backbone that writes."""
        if not spec.has_logits or spec.architecture == "encoder":
            return {}
        return {"prompt": Answering(self.options, spec)}

    def suits(self, *, has_examples: bool) -> Suited:
        """A decoder, as it is or, with examples, taught by them."""
        if has_examples:
            return Suited("smollm2", "lora", "it learns how likely the right passage and its words are after a question")
        why = "a guide holds what a decoder writes to passages that are there; examples teach it which"
        return Suited("smollm2", "zero-shot", why)

    def learn(self, examples: Sequence[Answered]) -> Showing:
        wanted = self.options.unanswered
        lacks = not examples or any(not example.answers for example in examples)
        return Showing(may_lack=wanted == "some" or (wanted == "auto" and lacks))

    def check(self, example: Answered, state: Showing) -> None:
        """:raises DataError: for an answer that no passage which says it holds, where answers are stretches of one; for one that
        is missing, where each question has one.
        """
        if not example.answers and not state.may_lack:
            raise DataError("the question has no answer, and each should have one.", where="answers",
                            do="leave the row out, or set unanswered = 'some'.")  # fmt: skip
        texts = [spelled(example.passages[place]) for place in example.sources]
        is_held = any(spelled(one) in text for one in example.answers for text in texts)
        if example.answers and self.options.verbatim and not is_held:
            raise DataError(
                f"{told(list(example.answers))} stands in no passage that is cited.", where="answers",
                do="give the answer as a passage has it; or let answers be in other words: verbatim = false.",
            )  # fmt: skip
        if example.answers and not example.sources:
            what = "no passage is cited that says the answer."
            raise DataError(what, where="citations", do="give the numbers of some, from 0.")

    def scorer(self, outputs: Sequence[CitedAnswer], examples: Sequence[Answered], state: Showing) -> Scorer:
        return scorer(outputs, examples, self._compare(examples))

    def judge(self, output: CitedAnswer, example: Answered, state: Showing) -> Judgement:
        """Right as `exact_match` has it; which passages are cited is told, and decides nothing."""
        [[exact, _]] = answer_scores([output.answer], [example.answers], self._compare([example]))
        wanted = told(list(example.answers)) if example.answers else NOTHING
        return Judgement(NOTHING if output.answer is None else output.answer, wanted, bool(exact), output.score)

    def baseline(self, examples: Sequence[Answered], state: Showing) -> Sequence[CitedAnswer]:
        """No answer to any question."""
        return [CitedAnswer(answer=None, score=1.0, abstained=True)] * len(examples)

    def golden_inputs(self, state: Showing) -> Sequence[Asked]:
        return [Asked(question=question, passages=passages) for question, passages in GOLDEN]

    def _compare(self, examples: Sequence[Any]) -> Compare:
        return comparing(self.options.scorer, [example.question for example in examples])
