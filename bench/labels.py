"""Whether planted label errors are found, beside cleanlab: ``python bench/labels.py``.

A part of the labels of ag_news is turned around. Ours: ``functory.build(…, doubt=5)``, with the default head on MiniLM. The
library's own: ``CleanLearning`` with a logistic regression, as its documentation has it for text, on MiniLM's vectors and on
TF-IDF. Told is the precision at as many rows as were planted. Needs cleanlab beside the project (``pip install cleanlab``);
without it the library's rows are left out. Looks for ag_news in the folder that DATA_SETS names.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from cells.data import only, rows
from measure import keep

import functory
from functory.measuring.mistakes import LONGEST, cut

PLANTED = 0.05
"""The part of the labels that are turned around."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--folds", type=int, default=5)
    args = parser.parse_args()
    train = only(rows("ag_news", "train", args.rows), "text", "label")
    planted = plant(train)
    texts, labels = [row["text"] for row in train], [row["label"] for row in train]
    found = [timed("functory, doubt", lambda: ours(train, args.folds), planted)]
    if find_spec("cleanlab"):
        made: dict[str, Callable[[], list[int]]] = {
            "cleanlab, CleanLearning on MiniLM": lambda: theirs(vectors(texts), labels, args.folds),
            "cleanlab, CleanLearning on TF-IDF": lambda: theirs(tfidf(texts), labels, args.folds),
        }
        found += [timed(name, find, planted) for name, find in made.items()]
    told = f"ag_news, {len(train):,} rows, {len(planted)} labels turned around"
    keep("labels", found, f"{told}. Precision at {len(planted)}; chance is {PLANTED}.")


def plant(train: list[dict[str, Any]]) -> set[int]:
    """Turn labels around, each to another that is drawn; return the rows."""
    draw = np.random.default_rng(0)
    names = sorted({row["label"] for row in train})
    chosen = draw.permutation(len(train))[: round(len(train) * PLANTED)]
    for n in chosen:
        train[n]["label"] = draw.choice([name for name in names if name != train[n]["label"]]).item()
    return set(chosen.tolist())


def timed(name: str, find: Callable[[], Sequence[int]], planted: set[int]) -> dict[str, Any]:
    """Return the row of a method that ranks rows, the likeliest errors first."""
    started = time.perf_counter()
    found = list(find())
    seconds = time.perf_counter() - started
    hits = [n in planted for n in found]
    return {
        "method": name, "named": len(found), "precision at that many": round(sum(hits[: len(planted)]) / len(planted), 3),
        "of those named": round(sum(hits) / max(1, len(hits)), 3), "recall": round(sum(hits) / len(planted), 3),
        "seconds": round(seconds, 1),
    }  # fmt: skip


def ours(train: list[dict[str, Any]], folds: int) -> list[int]:
    """Return the rows that a build doubts."""
    function = functory.build(
        task="text-classification", backbone="minilm", adaptation="head", train=train, dev_share=0, doubt=folds,
        test=only(rows("ag_news", "test", 40), "text", "label"),
    )  # fmt: skip
    found = function.report.suspects if function.report else ()
    place = {cut(row["text"], LONGEST): n for n, row in enumerate(train)}
    return [place[one.text] for one in found if one.text in place]


def vectors(texts: list[str]) -> Any:
    """Return what MiniLM makes of each text."""
    embed = functory.build(task="embedding", backbone="minilm")
    return np.array([one.vector for one in embed.map(texts)])


def theirs(features: Any, labels: list[str], folds: int) -> list[int]:
    """Return the rows that cleanlab names, the lowest label quality first."""
    from cleanlab.classification import CleanLearning
    from sklearn.linear_model import LogisticRegression

    names = sorted(set(labels))
    given = np.array([names.index(label) for label in labels])
    found = CleanLearning(LogisticRegression(max_iter=1000), cv_n_folds=folds).find_label_issues(features, given)
    issues = found[found["is_label_issue"]].sort_values("label_quality")
    return [int(n) for n in issues.index]


def tfidf(texts: list[str]) -> Any:
    """Return TF-IDF of words and pairs."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2).fit_transform(texts)


if __name__ == "__main__":
    main()
