"""Relations in episodes: some types that no training has seen, some examples of each, and which of them a further text has."""

from __future__ import annotations

from typing import Any

import numpy as np
from measure import build

from cells import scores, simple
from cells.cell import Answers, Cell
from cells.data import Rows, marked, only, rows

ASKED = 5
"""Texts of each type that are asked in an episode."""


def episodes(name: str, data: str, side: str, *, ways: int = 5, shots: int = 5, count: int = 40) -> Cell:
    """Return the cell of a data set of texts with two marked spans, whose types are all new (Han et al. 2018, FewRel).

    Each episode has a function of its own, by `contrastive`; of one example a type nothing can be brought together, and `head`
    is fitted.

    :param ways: types of an episode; `shots` examples of each, `count` episodes.
    """

    def load() -> tuple[Rows, Rows]:
        return drawn(only(rows(data, side), "text", "head", "tail", "label"), ways, shots, count)

    return Cell(
        name, "en", f"accuracy, {ways} types, {shots} examples", "relation", load, gold=lambda row: row["label"],
        read=lambda output: output.label, score=scores.accuracy,
        majority=lambda train, test: [own[0]["label"] for own in (_of(train, row["episode"]) for row in test)],
        simple=("n-gram regression", regression), ours=ours,
        recipe={"backbone": "minilm", "adaptation": "contrastive" if shots > 1 else "head"},
    )  # fmt: skip


def drawn(found: Rows, ways: int, shots: int, count: int) -> tuple[Rows, Rows]:
    """Return the examples and the asked texts of all episodes, each with its number."""
    of_label: dict[str, Rows] = {}
    for row in found:
        of_label.setdefault(row["label"], []).append(row)
    draw, labels = np.random.default_rng(0), sorted(of_label)
    known: Rows = []
    asked: Rows = []
    for number in range(count):
        for label in draw.choice(labels, ways, replace=False).tolist():
            chosen = draw.choice(len(of_label[label]), shots + ASKED, replace=False).tolist()
            picked = [{**of_label[label][place], "episode": number} for place in chosen]
            known, asked = known + picked[:shots], asked + picked[shots:]
    return known, asked


def ours(cell: Cell, train: Rows, test: Rows) -> Answers:
    """Build a function for each episode, on its examples alone."""

    def answers(known: Rows, asked: Rows) -> list[Any]:
        fn = build(task=cell.task, train=known, dev_share=0, test_share=0, **cell.recipe)
        return [cell.read(output) for output in fn.map(only(asked, "text", "head", "tail"))]

    return _each(train, test, answers)


def regression(train: Rows, test: Rows) -> Answers:
    """Return the answers of a regression on the n-grams of each episode's examples."""
    return _each(train, test, lambda known, asked: simple.regression(marked(known), marked(asked), ("text",), "label", "en"))


def _each(train: Rows, test: Rows, answers: Any) -> list[Any]:
    found: list[Any] = []
    for number in dict.fromkeys(row["episode"] for row in test):
        known = only(_of(train, number), "text", "head", "tail", "label")
        found += answers(known, only(_of(test, number), "text", "head", "tail", "label"))
    return found


def _of(found: Rows, episode: int) -> Rows:
    return [row for row in found if row["episode"] == episode]
