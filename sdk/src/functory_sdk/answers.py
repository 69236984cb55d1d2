"""How like a right answer an answer is: SQuAD's exact match and F1 (Rajpurkar et al. 2016, section 6.1), and those of CMRC 2018
for Chinese.

Both compare an answer with each right one and count the best; where there is none, no answer is right.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from functory.contracts.rows import Array
from functory.contracts.task import Scorer

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_SIGNS = frozenset("-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
"""What the CMRC scorer passes over."""
_PIECES = re.compile(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+(?:[.,'][^\W\u4e00-\u9fff]+)*|[^\w\s]")

Compare = Callable[[str, str], tuple[float, float]]
"""An answer and a right one → exact match and F1, 0 to 1."""


def is_chinese(texts: Sequence[str]) -> bool:
    """Return whether more than half of some texts hold a Chinese character."""
    return 2 * sum(bool(_CHINESE.search(text)) for text in texts) > len(texts)


def comparing(wanted: Literal["auto", "squad", "cmrc"], questions: Sequence[str]) -> Compare:
    """Return how answers to some questions are compared with the right ones.

    :param wanted: ``auto`` is CMRC's way where most questions are Chinese, else SQuAD's.
    """
    if wanted == "auto":
        wanted = "cmrc" if is_chinese(questions) else "squad"
    return cmrc if wanted == "cmrc" else squad


def squad(given: str, wanted: str) -> tuple[float, float]:
    """Compare without case, punctuation and articles: the texts, and the words that they share."""
    one, other = _words(given), _words(wanted)
    return float(one == other), _f1(sum((Counter(one) & Counter(other)).values()), one, other)


def cmrc(given: str, wanted: str) -> tuple[float, float]:
    """Compare without case and punctuation: the texts, and the longest run of characters and other words they have in common."""
    given, wanted = _bare(given), _bare(wanted)
    one, other = _PIECES.findall(given), _PIECES.findall(wanted)
    return float(given == wanted), _f1(_common_run(one, other), one, other)


def answer_scores(answers: Sequence[str | None], golds: Sequence[Sequence[str]], compare: Compare) -> Array:
    """Return exact match and F1 of each answer, (answers, 2)."""
    return np.asarray([_best(one, wanted, compare) for one, wanted in zip(answers, golds, strict=True)]).reshape(-1, 2)


def answer_scorer(found: Array, may_lack: Array, *, tells_lack: bool) -> Scorer:
    """Return the metrics as a function of which examples count.

    :param found: (examples, 2) exact match and F1.
    :param may_lack: (examples,) which of them have no answer.
    :param tells_lack: tell the two kinds apart.
    """
    parts: dict[str, tuple[Array, int]] = {"answered_f1": (~may_lack, 1), "unanswered_accuracy": (may_lack, 0)}

    def score(chosen: Array) -> dict[str, float]:
        told = {"f1": float(found[chosen, 1].mean()), "exact_match": float(found[chosen, 0].mean())}
        for name, (kind, column) in parts.items() if tells_lack else ():
            some = found[chosen][kind[chosen], column]
            some = some if len(some) else found[kind, column]  # a resample without one says nothing of them
            told[name] = float(some.mean()) if len(some) else 1.0
        return told

    return score


def _best(given: str | None, golds: Sequence[str], compare: Compare) -> tuple[float, float]:
    if given is None or not golds:
        right = float(given is None and not golds)
        return right, right
    compared = [compare(given, gold) for gold in golds]
    return max(exact for exact, _ in compared), max(f1 for _, f1 in compared)


def _f1(common: int, one: Sequence[Any], other: Sequence[Any]) -> float:
    """Return the F1 of what two texts share; two without words agree."""
    if not one or not other:
        return float(one == other)
    return 2 * common / (len(one) + len(other))


def _words(text: str) -> list[str]:
    bare = "".join(sign for sign in text.lower() if sign not in string.punctuation)
    return _ARTICLES.sub(" ", bare).split()


def _bare(text: str) -> str:
    return "".join(sign for sign in text.lower().strip() if sign not in _SIGNS)


def _common_run(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of the longest run that stands in both."""
    longest, before = 0, [0] * (len(other) + 1)
    for piece in one:
        here = [0] * (len(other) + 1)
        for place, beside in enumerate(other, 1):
            if piece == beside:
                here[place] = before[place - 1] + 1
        longest, before = max(longest, max(here)), here
    return longest
