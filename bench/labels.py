"""Whether planted faults are found: wrong labels, beside cleanlab's own, and a token that tells its label alone.

    python scripts/environments.py labels bench/labels.py

A part of the labels of ag_news is turned around. Ours: ``functory.build(…, doubt=5)``, with the head on MiniLM. The library's
own: ``CleanLearning`` with a logistic regression, as its documentation has it for text, on MiniLM's vectors and on TF-IDF. Told
is the precision at as many rows as were planted. Then, twenty times, a token that stands nowhere is put into some of the texts
of one label, and what a build says of its data is read: goal, it names the token each time. Without cleanlab its rows are left
out. Looks for ag_news in the folder that DATA_SETS names.
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
from functory.data import Examples, Splits, audit
from functory.measuring.evaluation import read_examples
from functory.measuring.mistakes import LONGEST, cut
from functory_sdk import load

PLANTED = 0.05
"""The part of the labels that are turned around."""
TRIES = 20
LEAKED = 0.6
"""The part of a label's texts that a token is put into."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--folds", type=int, default=5)
    args = parser.parse_args()
    train = only(rows("ag_news", "train", args.rows), "text", "label")
    named, others = zip(*(leaked(train, seed) for seed in range(TRIES)), strict=True)
    planted = plant(train)
    texts, labels = [row["text"] for row in train], [row["label"] for row in train]
    found = [timed("functory, doubt", lambda: ours(train, args.folds), planted)]
    if find_spec("cleanlab"):
        made: dict[str, Callable[[], list[int]]] = {
            "cleanlab, CleanLearning on MiniLM": lambda: theirs(vectors(texts), labels, args.folds),
            "cleanlab, CleanLearning on TF-IDF": lambda: theirs(tfidf(texts), labels, args.folds),
        }
        found += [timed(name, find, planted) for name, find in made.items()]
    told = f"ag_news, {len(train):,} rows, {len(planted)} labels turned around. Precision at {len(planted)}; chance is {PLANTED}."
    leak = f"a token in {LEAKED:.0%} of a label's texts: named in {sum(named)} of {TRIES} tries, {sum(others)} other words named"
    keep("labels", found, f"{told} {leak}: {'reached' if all(named) else 'NOT reached'} (goal: each time).")


def leaked(train: Sequence[dict[str, Any]], seed: int) -> tuple[bool, int]:
    """Put a token into texts of one label, anywhere in them; return whether what a build says of the data names it, and how many
    other words it names.
    """
    draw = np.random.default_rng(seed)
    names = sorted({row["label"] for row in train})
    label, token = names[seed % len(names)], "".join(draw.choice([*"bcdfghjklmnpqrstvwxz"], 6))
    marked = [dict(row) for row in train]
    for row in marked:
        if row["label"] == label and draw.random() < LEAKED:
            words = row["text"].split(" ")
            words.insert(int(draw.integers(len(words) + 1)), token)
            row["text"] = " ".join(words)
    task = load("tasks", "text-classification").configure()
    nothing = Examples((), (), "")
    notes = audit(Splits(read_examples(task, None, marked), nothing, nothing), stratify=task.strata)
    told = [note for note in notes if note.startswith("words that tell a label alone")]
    return any(repr(token) in note for note in told), sum(note.count(" with ") for note in told) - bool(told)


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
