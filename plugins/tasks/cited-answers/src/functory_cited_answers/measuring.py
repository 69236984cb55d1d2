"""How well: answers as SQuAD compares them, and citations one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from functory_cited_answers.types import Answered, CitedAnswer
from functory_sdk import Array, Scorer, Tally, answer_scorer, answer_scores
from functory_sdk.answers import Compare

METRICS: Mapping[str, str] = {
    "f1": "the mean F1 of what answer and right answer share, the best of the right ones counting",
    "exact_match": "the share of answers that are a right one, case and punctuation aside",
    "answered_f1": "the same F1 over the questions that have an answer",
    "unanswered_accuracy": "the share of the questions without an answer that were given none",
    "citation_precision": "how many of the passages that were cited say it",
    "citation_recall": "how many of the passages that say it were cited",
}


def scorer(outputs: Sequence[CitedAnswer], examples: Sequence[Answered], compare: Compare) -> Scorer:
    """Return the metrics as a function of which examples count."""
    golds = [example.answers for example in examples]
    lacks = np.asarray([not wanted for wanted in golds], dtype=bool)
    found = answer_scores([output.answer for output in outputs], golds, compare)
    answers = answer_scorer(found, lacks, tells_lack=bool(lacks.any()))
    cited, right = [{one.passage for one in output.citations} for output in outputs], [{*one.sources} for one in examples]
    both = [[0] * len(mine & theirs) for mine, theirs in zip(cited, right, strict=True)]
    tally = Tally(both, [[0] * len(one) for one in cited], [[0] * len(one) for one in right], 1)

    def score(chosen: Array) -> dict[str, float]:
        rates = tally.together(chosen)
        return {**answers(chosen), "citation_precision": float(rates.precision), "citation_recall": float(rates.recall)}

    return score
