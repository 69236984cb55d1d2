"""Simple peers, without any pretrained model: what a function must be worth more than.

An n-gram regression for labels, TF-IDF cosine for likeness and search, a dictionary of mentions for entities, a sliding
window for answers. scikit-learn's defaults, but for what is said.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cells.data import Row, Rows
from cells.scores import Span

STRENGTH = 10.0
"""The inverse penalty of the regressions, good on most small sets of short texts."""


def _grams(language: str) -> Any:
    """Return what counts a text: words and pairs of words; characters one to three where there are no blanks."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    if language == "zh":
        return TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=2, max_features=200_000)
    return TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b|[^\w\s]", max_features=200_000
    )


def regression(train: Rows, test: Rows, fields: Sequence[str], gold: str, language: str) -> list[str]:
    """Return the labels of a logistic regression on n-grams; of several texts also on those that both have."""
    model, features = _fitted(train, fields, gold, language)
    return [str(label) for label in model.predict(features(test))]


def likeliest(train: Rows, test: Rows, fields: Sequence[str], gold: str, language: str) -> list[tuple[str, float]]:
    """Return the labels of that regression, each with its probability."""
    model, features = _fitted(train, fields, gold, language)
    shares = model.predict_proba(features(test))
    return [(str(model.classes_[row.argmax()]), float(row.max())) for row in shares]


def _fitted(train: Rows, fields: Sequence[str], gold: str, language: str) -> tuple[Any, Callable[[Rows], Any]]:
    """Return the regression, and what makes its features of rows."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression

    grams = _grams(language).fit([row[field] for row in train for field in fields])

    def features(found: Rows) -> Any:
        parts = [grams.transform([row[field] for row in found]) for field in fields]
        if len(parts) == 2:
            shared = parts[0].minimum(parts[1])
            numbers = np.c_[
                np.asarray(parts[0].multiply(parts[1]).sum(1)),
                [[len(row[fields[0]]) / 100, len(row[fields[1]]) / 100] for row in found],
            ]
            parts += [shared, csr_matrix(numbers)]
        return hstack(parts).tocsr()

    model = LogisticRegression(C=STRENGTH, max_iter=2000).fit(features(train), [row[gold] for row in train])
    return model, features


def likeness(train: Rows, test: Rows, fields: tuple[str, str], language: str) -> list[float]:
    """Return the TF-IDF cosine of two texts."""
    grams = _grams(language).fit([row[field] for row in train for field in fields])
    first, second = (grams.transform([row[field] for row in test]) for field in fields)
    return [float(value) for value in np.asarray(first.multiply(second).sum(1)).ravel()]


def ranks(texts: Sequence[str], questions: Sequence[tuple[str, int]], language: str) -> list[int]:
    """Return the place of the right text for each question, by TF-IDF cosine."""
    grams = _grams(language).set_params(min_df=1).fit(texts)
    scores = (grams.transform([question for question, _ in questions]) @ grams.transform(texts).T).toarray()
    return [int((row > row[right]).sum()) + 1 for row, (_, right) in zip(scores, questions, strict=True)]


def mentions(train: Rows, test: Rows) -> list[set[Span]]:
    """Return the entities of a dictionary: every mention of the training rows, with its commonest type, longest first."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for row in train:
        for one in row["entities"]:
            seen[row["text"][one["start"] : one["end"]]][one["label"]] += 1
    known = {mention: kinds.most_common(1)[0][0] for mention, kinds in seen.items() if len(mention) > 1}
    longest = max(map(len, known), default=0)
    return [_found(row["text"], known, longest) for row in test]


def _found(text: str, known: dict[str, str], longest: int) -> set[Span]:
    spans: set[Span] = set()
    place = 0
    while place < len(text):
        end = next(
            (e for e in range(min(len(text), place + longest), place, -1) if _is_known(text, place, e, known)), 0
        )
        if end:
            spans.add((place, end, known[text[place:end]]))
        place = end or place + 1
    return spans


def _is_known(text: str, start: int, end: int, known: dict[str, str]) -> bool:
    """Whether a mention stands here, and is no part of a longer word."""
    if text[start:end] not in known:
        return False
    around = (text[start - 1 : start] + text[start], text[end - 1] + text[end : end + 1])
    return not any(len(pair) == 2 and pair.isascii() and pair.isalnum() for pair in around)


def window(question: str, context: str, answer_length: int = 20) -> str:
    """Return the stretch of the context that has most of the question's words around it (Richardson et al. 2013)."""
    from functory.reading.segmentation import words

    spans = [(start, end) for start, end in words(context)]
    asked = {question[start:end].lower() for start, end in words(question)}
    if not spans:
        return ""
    frequency = Counter(context[start:end].lower() for start, end in spans)
    weight = [np.log(1 + 1 / frequency[context[s:e].lower()]) * (context[s:e].lower() in asked) for s, e in spans]
    size = min(answer_length, len(spans))
    sums = np.convolve(weight, np.ones(size), "valid")
    best = int(np.argmax(sums))
    inside = [place for place in range(best, best + size) if context[slice(*spans[place])].lower() not in asked]
    if not inside:
        inside = list(range(best, best + size))
    return context[spans[inside[0]][0] : spans[min(inside[-1], inside[0] + 5)][1]]


def chosen(row: Row) -> str:
    """Return the option whose words, with the question's, lie closest together in the context; the longest without one."""
    from functory.reading.segmentation import words

    if not row.get("context"):
        return max(row["choices"], key=len)
    tokens = [row["context"][start:end].lower() for start, end in words(row["context"])]
    asked = {row["question"][start:end].lower() for start, end in words(row["question"])}

    def score(option: str) -> float:
        wanted = asked | {option[start:end].lower() for start, end in words(option)}
        hits = np.asarray([token in wanted for token in tokens], dtype=np.float64)
        size = max(1, min(len(wanted), len(hits)))
        return float(np.convolve(hits, np.ones(size), "valid").max()) / len(wanted) if len(hits) else 0.0

    return max(row["choices"], key=score)


def majority(train: Sequence[Any], count: int) -> list[Any]:
    """Return the commonest label of the training rows, so many times."""
    return [Counter(train).most_common(1)[0][0]] * count
