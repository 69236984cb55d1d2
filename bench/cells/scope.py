"""Requests out of scope: training shows none, dev some, by which both sides choose their limit; one build for two cells.

What is out of scope is told by the probability of the likeliest label: ours, that of an n-gram regression, and Trainer's
(Hendrycks and Gimpel 2017). One cell asks how well it orders, the other whether answers are right, an input out of scope
being right where it is declined.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
from measure import build

from cells import same, scores, simple
from cells.cell import Cell
from cells.data import Rows, only, rows

OUTSIDE = "oos"
TASK = {"name": "text-classification", "out_of_scope": OUTSIDE}
DEV = 600
"""Rows of dev, all that are out of scope among them: about one in six, as in test."""
Said = tuple[str, float]
"""The likeliest label, and its probability."""


def scope(name: str, data: str, language: str, backbone: str, train: int, test: int) -> Cell:
    """Return the cell that asks how often a request in scope is surer than one out of it."""

    def load() -> tuple[Rows, Rows]:
        fields = ("text", "label")
        inside = [row for row in rows(data, "train") if row["label"] != OUTSIDE]
        drawn = np.random.default_rng(0).permutation(len(inside))[:train]
        return only([inside[place] for place in sorted(drawn)], *fields), only(rows(data, "test", test), *fields)

    def peer(train: Rows, test: Rows, rate: float) -> list[Said]:
        return _limited(partial(_trained, backbone=backbone, rate=rate), train, held(data), test)

    def simply(train: Rows, test: Rows) -> list[Said]:
        return _limited(partial(simple.likeliest, fields=("text",), gold="label", language=language), train, held(data), test)

    return Cell(
        name, language, "AUROC", TASK, load,
        gold=lambda row: row["label"], read=lambda output: (output.label or OUTSIDE, output.in_scope),
        score=lambda found, gold: scores.auroc([sure for _, sure in found], [label != OUTSIDE for label in gold]),
        majority=lambda train, test: [(OUTSIDE, 0.0)] * len(test), simple=("n-gram regression", simply),
        same=("Trainer", peer), recipe={"backbone": backbone}, ours=partial(_ours, data),
    )  # fmt: skip


def declined(name: str, ordered: Cell) -> Cell:
    """Return the cell that asks which answers are right.

    :param ordered: the cell of the same requests, whose answers these are.
    """
    return replace(
        ordered, name=name, metric="accuracy", beside=ordered, is_shared=True,
        score=lambda found, gold: scores.accuracy([label for label, _ in found], gold),
    )  # fmt: skip


def held(data: str) -> Rows:
    """Return the rows of dev."""
    found = rows(data, "dev")
    outside, inside = ([row for row in found if (row["label"] == OUTSIDE) is wanted] for wanted in (True, False))
    drawn = np.random.default_rng(0).permutation(len(inside))[: DEV - len(outside)]
    return only([*outside, *(inside[place] for place in sorted(drawn))], "text", "label")


def _ours(data: str, cell: Cell, train: Rows, test: Rows) -> list[Said]:
    """Build by the default call; of the same rows once."""
    known = tuple((row["text"], row["label"]) for row in train)
    found = _outputs(data, tuple(cell.recipe.items()), known, tuple(row["text"] for row in test))
    return [cell.read(output) for output in found]


@cache
def _outputs(
    data: str, recipe: tuple[tuple[str, Any], ...], known: tuple[tuple[str, str], ...], texts: tuple[str, ...]
) -> list[Any]:
    train = [{"text": text, "label": label} for text, label in known]
    fn = build(task=TASK, train=train, dev=held(data), test_share=0.0, **dict(recipe))
    return list(fn.map(list(texts)))


def _limited(peer: Callable[[Rows, Rows], list[Said]], train: Rows, dev: Rows, test: Rows) -> list[Said]:
    """Return a peer's answers; below the limit with which it is right most often on dev, it declines."""
    said = peer(train, [*dev, *test])
    limit = _limit(said[: len(dev)], [row["label"] for row in dev])
    return [(label if sure >= limit else OUTSIDE, sure) for label, sure in said[len(dev) :]]


def _limit(said: Sequence[Said], gold: Sequence[str]) -> float:
    """Return the least sure answer that is given."""

    def right(limit: float) -> int:
        return sum((label if sure >= limit else OUTSIDE) == true for (label, sure), true in zip(said, gold, strict=True))

    return max([0.0, *sorted({sure for _, sure in said})], key=right)


def _trained(train: Rows, asked: Rows, *, backbone: str, rate: float) -> list[Said]:
    """Return what Trainer says."""
    names, logits = same.logits(train, asked, ("text",), "label", backbone, rate)
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    shares = powers / powers.sum(-1, keepdims=True)
    return [(names[row.argmax()], float(row.max())) for row in shares]
