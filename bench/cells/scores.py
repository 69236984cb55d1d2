"""Metrics of answers that any of three programs gave: plain values in, one number for any choice of examples out.

Apart from the tasks' own metrics, so that ours and the peers are measured by the same few lines; both are compared in the
tasks' tests. Every function here returns a `Score`: indices of examples (any number,) → the metric on just those.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
Score = Callable[[Places], float]
Span = tuple[int, int, str]


def accuracy(found: Sequence[Any], gold: Sequence[Any]) -> Score:
    """The share of answers that are right."""
    right = np.array([one == other for one, other in zip(found, gold, strict=True)], dtype=np.float64)
    return lambda places: float(right[places].mean())


def macro_f1(found: Sequence[Any], gold: Sequence[Any], without: str | None = None) -> Score:
    """The mean F1 of the classes that stand in the gold (Pedregosa et al. 2011), but for one that does not count."""
    classes = sorted({str(label) for label in gold} - {without})
    number = {label: place for place, label in enumerate(classes)}
    ours = np.array([number.get(str(label), -1) for label in found])
    true = np.array([number.get(str(label), -1) for label in gold])

    def score(places: Places) -> float:
        values = []
        for place in range(len(classes)):
            one, other = ours[places] == place, true[places] == place
            if other.any():
                values.append(2 * float((one & other).sum()) / float(one.sum() + other.sum()))
        return float(np.mean(values)) if values else float("nan")

    return score


def directed_f1(found: Sequence[str], gold: Sequence[str]) -> Score:
    """SemEval-2010 task 8 (Hendrickx et al. 2010): macro-F1 over relations, a wrong direction being wrong, without Other."""
    kinds = sorted({label.split("(")[0] for label in gold} - {"Other"})

    def score(places: Places) -> float:
        values = []
        for kind in kinds:
            given = [index for index in places if found[index].split("(")[0] == kind]
            true = [index for index in places if gold[index].split("(")[0] == kind]
            right = sum(found[index] == gold[index] for index in given)
            values.append(2 * right / max(1, len(given) + len(true)))
        return float(np.mean(values))

    return score


def span_f1(found: Sequence[set[Span]], gold: Sequence[set[Span]]) -> Score:
    """The micro-averaged F1 of entities: type and both ends right."""
    right = np.array([len(one & other) for one, other in zip(found, gold, strict=True)])
    both = np.array([len(one) + len(other) for one, other in zip(found, gold, strict=True)])
    return lambda places: 2 * float(right[places].sum()) / max(1.0, float(both[places].sum()))


def spearman(found: Sequence[float], gold: Sequence[float]) -> Score:
    """The correlation of ranks; ties share their mean rank."""
    from scipy.stats import spearmanr

    ours, true = np.asarray(found, dtype=np.float64), np.asarray(gold, dtype=np.float64)

    def score(places: Places) -> float:
        if np.ptp(ours[places]) == 0 or np.ptp(true[places]) == 0:
            return 0.0
        return float(spearmanr(ours[places], true[places]).statistic)

    return score


def auroc(found: Sequence[float], gold: Sequence[bool]) -> Score:
    """How often one that is meant has a higher number than one that is not (Hanley and McNeil 1982); ties count half."""
    from scipy.stats import rankdata

    values, meant = np.asarray(found, dtype=np.float64), np.asarray(gold, dtype=bool)

    def score(places: Places) -> float:
        is_meant = meant[places]
        ours, others = int(is_meant.sum()), int((~is_meant).sum())
        if not ours or not others:
            return float("nan")
        return (float(rankdata(values[places])[is_meant].sum()) - ours * (ours + 1) / 2) / (ours * others)

    return score


def reciprocal_rank(ranks: Sequence[int]) -> Score:
    """The mean of one over the place of the first right item, the best being 1."""
    values = 1 / np.asarray(ranks, dtype=np.float64)
    return lambda places: float(values[places].mean())


def answer_f1(found: Sequence[str], gold: Sequence[Sequence[str]]) -> Score:
    """The F1 of the words (Rajpurkar et al. 2016), of the characters where there are no blanks, of the best gold answer."""
    values = np.array([
        max((_overlap(text, one) for one in answers), default=0.0)
        for text, answers in zip(found, gold, strict=True)
    ])  # fmt: skip
    return lambda places: float(values[places].mean())


def _overlap(one: str, other: str) -> float:
    first, second = _parts(one), _parts(other)
    if not first or not second:
        return float(first == second)
    shared = sum((Counter(first) & Counter(second)).values())
    return 2 * shared / (len(first) + len(second))


def _parts(text: str) -> list[str]:
    """Return words without articles and punctuation; of a script without blanks, the characters."""
    kept = "".join(char for char in text.lower() if not unicodedata.category(char).startswith("P"))
    kept = re.sub(r"\b(a|an|the)\b", " ", kept)
    return [part for word in kept.split() for part in (word if _is_unspaced(word) else [word])]


def _is_unspaced(word: str) -> bool:
    return any("\u3040" <= char <= "\u9fff" or "\u0e00" <= char <= "\u0e7f" for char in word)


def interval(score: Score, count: int, seed: int = 0, resamples: int = 1000) -> tuple[float, float]:
    """Return the ends of the 95% interval, by the percentile bootstrap over examples."""
    drawn = np.random.default_rng(seed)
    values = [score(drawn.integers(0, count, count)) for _ in range(resamples)]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def difference(
    first: Score, second: Score, count: int, seed: int = 0, resamples: int = 1000
) -> tuple[float, float, float]:
    """Return the first's metric less the second's on the same examples, and the ends of its 95% interval (paired)."""
    drawn = np.random.default_rng(seed)
    values = []
    for _ in range(resamples):
        places = drawn.integers(0, count, count)
        values.append(first(places) - second(places))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    everything = np.arange(count)
    return first(everything) - second(everything), float(low), float(high)
