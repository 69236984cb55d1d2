"""Entities and relations end to end: from raw text to a graph, by two functions in one composite, beside two peers in a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from measure import build

from cells import same, scores, simple
from cells.cell import Answers, Cell
from cells.data import Row, Rows, marked, only, rows
from cells.scores import Span

PAIRS = 2000
"""Rows of two entities at most, of all that training sentences have: most are not related."""
NOTHING = "none"
Tie = tuple[Any, ...]
"""A relation: both entities with ends and types, from the one to the other, and its name."""


def graph(name: str, data: str, language: str, entities: Cell) -> Cell:
    """Return the cell of a data set of sentences, their entities and the relations between them.

    :param entities: the cell of the same entities alone, whose peer finds those that the peer here relates.
    """

    def load() -> tuple[Rows, Rows]:
        fields = ("text", "entities", "relations")
        return only(rows(data, "train"), *fields), only(rows(data, "test"), *fields)

    def peer(train: Rows, test: Rows, rate: float) -> list[set[Tie]]:
        parts = only(train, "text", "entities"), only(test, "text", "entities")
        [(found, _)] = entities.peer(*parts, [rate])
        return related(
            train, test, found, lambda known, asked: same.labels(known, asked, ("text",), "label", "minilm", rate)
        )

    def simply(train: Rows, test: Rows) -> list[set[Tie]]:
        found = simple.mentions(train, test)
        return related(
            train, test, found, lambda known, asked: simple.regression(known, asked, ("text",), "label", language)
        )

    return Cell(
        name, language, "relation F1", "relation-graph", load, gold=lambda row: ties(row["entities"], row["relations"]),
        read=lambda output: ties(map(dict, output.nodes), map(dict, output.edges)), score=scores.span_f1,
        majority=lambda train, test: [set()] * len(test), simple=("mention dictionary, n-gram regression", simply),
        same=("Trainer, twice", peer), ours=ours, recipe={"backbone": "minilm"},
    )  # fmt: skip


def ours(cell: Cell, train: Rows, test: Rows) -> Answers:
    """Build both functions by the default call, and compose them."""
    from functory.composite import compose
    from functory.function import Function

    def built(task: str, found: Rows) -> Function:
        return build(task=task, train=found, test_share=0.0, **cell.recipe)

    facts = compose(
        "relation-graph",
        entities=built("ner", only(train, "text", "entities")),
        relations=built("relation", pairs(train)),
    )
    return [cell.read(output) for output in facts.map([row["text"] for row in test])]


def ties(entities: Any, relations: Any) -> set[Tie]:
    """Return relations as they are counted: right with both entities' ends and types, and in their direction."""
    placed = [(one["start"], one["end"], one["label"]) for one in entities]
    return {(*placed[one["head"]], *placed[one["tail"]], one["label"]) for one in relations}


def pairs(train: Rows) -> Rows:
    """Return a row for each two entities of a sentence, as the project's own reader makes them: so many, drawn once."""
    found = [pair for row in train for pair in _pairs(row)]
    drawn = np.random.default_rng(0).permutation(len(found))[:PAIRS]
    return [found[place] for place in sorted(drawn)]


def _pairs(row: Row) -> Rows:
    known = {(one["head"], one["tail"]): one["label"] for one in row["relations"]}
    made = []
    places = sorted(range(len(row["entities"])), key=lambda place: row["entities"][place]["start"])
    for one, other in combinations(places, 2):
        there, back = known.get((one, other)), known.get((other, one))
        label = f"{there}(e1,e2)" if there else f"{back}(e2,e1)" if back else NOTHING
        made.append(_asked(row["text"], *(row["entities"][place] for place in (one, other))) | {"label": label})
    return made


def _asked(text: str, one: Row, other: Row) -> Row:
    """Return a text with two spans of it."""
    head, tail = ({"start": span["start"], "end": span["end"]} for span in (one, other))
    return {"text": text, "head": head, "tail": tail}


def related(
    train: Rows, test: Rows, found: Sequence[set[Span]], peer: Callable[[Rows, Rows], list[str]]
) -> list[set[Tie]]:
    """Return the relations that a classifier of marked texts says between entities that were found."""
    asked = [
        (place, one, other)
        for place, spans in enumerate(found)
        for one, other in combinations(sorted(spans), 2)
        if other[0] >= one[1]
    ]
    read = [{**_asked(test[place]["text"], _span(one), _span(other)), "label": NOTHING} for place, one, other in asked]
    answers = peer(marked(pairs(train)), marked(read)) if read else []
    said: list[set[Tie]] = [set() for _ in test]
    for (place, one, other), label in zip(asked, answers, strict=True):
        kind, _, direction = label.partition("(")
        if label != NOTHING:
            said[place].add((*other, *one, kind) if direction == "e2,e1)" else (*one, *other, kind))
    return said


def _span(span: Span) -> Row:
    return {"start": span[0], "end": span[1]}
