"""What every task that ranks has: how relevance is told in data, and how good an order is. No torch.

Apart from `task`, which says how a ranking is put to a backbone: one that is made of functions is put to none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np

from functory_ranking.metrics import METRICS, scorer
from functory_ranking.types import Item, Query, Ranked, RankedQuery
from functory_sdk import DataError, Judgement, Options, Scorer, State, Task

if TYPE_CHECKING:
    from functory_sdk import Examples

R = TypeVar("R", bound=Options)


class Ranks(Task[R]):
    """Puts candidates in an order."""

    Input: ClassVar = Query
    Output: ClassVar = Ranked
    Example: ClassVar = RankedQuery
    shorthand: ClassVar[tuple[str, ...]] = ("query", "candidates")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "query": ("query", "question", "anchor", "search", "prompt", "查询", "问题"),
        "candidates": (
            "candidates", "candidate", "passages", "passage", "documents", "document", "texts", "text", "replies", "候选", "段落",
        ),
        "relevance": (
            "relevance", "relevances", "grades", "grade", "labels", "label", "scores", "score", "is_selected", "相关性", "相关度",
        ),
        "picked": ("picked", "answer", "answers", "clicked", "correct", "选中", "答案"),
        "positives": ("positives", "positive", "positive_passages", "pos", "chosen", "正例"),
        "negatives": ("negatives", "negative", "negative_passages", "hard_negatives", "neg", "负例", "rejected"),
    }  # fmt: skip
    metric: ClassVar[str] = "ndcg@10"
    metrics: ClassVar[Mapping[str, str]] = METRICS

    def prepared(self, found: Examples) -> Examples:
        """Make one example of all rows of a query, where each row holds one candidate; it stands where the first of them does."""
        if any(len(example.candidates) != 1 for example in found):
            return found
        rows: dict[str, list[int]] = {}
        for number, example in enumerate(found):
            if len(example.relevance) == 1:
                rows.setdefault(example.query, []).append(number)
            else:
                _sound(example, found.places[number])
        if len(rows) == len(found):
            return found
        joined = [_joined([found[number] for number in numbers]) for numbers in rows.values()]
        whole = found.take(numbers[0] for numbers in rows.values())
        return replace(whole, items=tuple(joined), skipped=found.skipped, notes=found.notes)

    def learn(self, examples: Sequence[RankedQuery]) -> State:
        """Nothing but φ is learned.

        :raises DataError: for an example that says nothing, or where no query has two candidates of which one is better.
        """
        state = State()
        for example in examples:
            self.check(example, state)
        if examples and not any(len({*example.relevance}) > 1 for example in examples):
            raise DataError(
                "no query has a candidate that is more relevant than another: nothing is to be learned.",
                where="relevance",
                do="give each query candidates that are not relevant, too.",
            )
        return state

    def check(self, example: RankedQuery, state: State) -> None:
        """Refuse grades that do not fit the candidates, or none of which is above 0."""
        _sound(example)

    def scorer(self, outputs: Sequence[Ranked], examples: Sequence[RankedQuery], state: State) -> Scorer:
        places = [[item.index for item in output.items] for output in outputs]
        orders = [np.asarray(example.relevance, dtype=np.float64) for example in examples]
        return scorer(
            [grades[own] for grades, own in zip(orders, places, strict=True)],
            [np.delete(grades, own) for grades, own in zip(orders, places, strict=True)],
        )

    def baseline(self, examples: Sequence[RankedQuery], state: State) -> list[Ranked]:
        """The order as it was given; where all examples are written in the right one, which says nothing, one by chance."""
        is_sorted = all(list(example.relevance) == sorted(example.relevance, reverse=True) for example in examples)
        return [_given(example, is_mixed=is_sorted) for example in examples]

    def judge(self, output: Ranked, example: RankedQuery, state: State) -> Judgement:
        """An order is right where one of the best stands first."""
        best = max(example.relevance, default=0.0)
        right = [text for text, grade in zip(example.candidates, example.relevance, strict=True) if grade == best]
        first = output.items[0] if output.items else Item(index=-1, text="", score=0.0)
        return Judgement(first.text, " | ".join(dict.fromkeys(right)), first.text in right, first.score)

    def golden_inputs(self, state: State) -> Sequence[Query]:
        return [Query(query=query, candidates=candidates) for query, candidates in GOLDEN]


GOLDEN = (
    ("How do I reset my password?", ("Our shop opens at nine.", "Click on “Forgotten?” and choose a new password.", "ok")),
    ("什么时候可以还款", ("我们早上九点开门。", "账单出来以后随时可以提前还款。", "密码忘了请点这里。", "还款日是每月五号。")),
    ("Which quarter was better?", ("Prices rose 3.2% in the 2nd quarter – more than the 2.9% of the 1st. 👍",)),
    ("ok", ("no", "ok", "no")),
    ("the last train", ("One thing after another went wrong that day, from the first call to the last train.", "火车站怎么走？")),
)
"""Queries for replaying: one candidate and several, one that stands there twice, in two scripts."""


def _sound(example: RankedQuery, place: str = "") -> None:
    """Refuse an example whose grades do not say which of its candidates is relevant.

    :raises DataError: naming the field, and the place where that is given.
    """
    count, grades = len(example.candidates), example.relevance
    what, field = "", "relevance"
    if not count:
        what, field = "there are no candidates to learn from", "candidates"
    elif len(grades) != count:
        what = f"'relevance' has {len(grades)} grade{'s' * (len(grades) != 1)} for {count} candidate{'s' * (count != 1)}"
    elif not any(grades):
        what = "no candidate is relevant"
    twice = {} if what else _contradicted(example)
    if twice:
        what, field = f"the candidate {next(iter(twice))!r} stands there twice, with another grade", "candidates"
    if what:
        where = f"{place}, {field}" if place else field
        raise DataError(f"{what}.", where=where, do="correct the row, or pass over it: on_bad_row = 'skip'.")


def _contradicted(example: RankedQuery) -> dict[str, set[float]]:
    """Return the candidates that stand in an example with several grades."""
    grades: dict[str, set[float]] = {}
    for text, grade in zip(example.candidates, example.relevance, strict=True):
        grades.setdefault(text, set()).add(grade)
    return {text: several for text, several in grades.items() if len(several) > 1}


def _joined(rows: Sequence[RankedQuery]) -> RankedQuery:
    """Return one example of the rows of a query, a candidate each."""
    candidates = tuple(row.candidates[0] for row in rows)
    return rows[0].model_copy(update={"candidates": candidates, "relevance": tuple(row.relevance[0] for row in rows)})


def _given(example: RankedQuery, *, is_mixed: bool) -> Ranked:
    """Return the candidates as they were given, or in an order that their texts' hashes make."""
    order = list(range(len(example.candidates)))
    if is_mixed:
        order.sort(key=lambda place: sha256(f"{example.query}\n{example.candidates[place]}".encode()).hexdigest())
    scores = np.linspace(1, 0, len(order) + 1)
    items = [Item(index=n, text=example.candidates[n], score=float(s)) for n, s in zip(order, scores, strict=False)]
    return Ranked(items=tuple(items))
