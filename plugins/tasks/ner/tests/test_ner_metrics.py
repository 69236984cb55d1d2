"""How well: the figures are worked out by hand, beside each case, as right / found / there are."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from functory_ner import NER, TaggedText
from functory_sdk import Entities, Entity, Span, SpanLabels

STATE = SpanLabels(labels=("a", "b", "c"))
Spans = list[tuple[int, int, str]]


def example(spans: Spans) -> TaggedText:
    return TaggedText(text="x" * 12, entities=tuple(Span(start=s, end=e, label=label) for s, e, label in spans))


def output(spans: Spans) -> Entities:
    return Entities(entities=tuple(Entity(text="", score=1.0, start=s, end=e, label=label) for s, e, label in spans))


@pytest.mark.parametrize(
    ("there", "found", "precision", "recall", "f1"),
    [
        pytest.param([(0, 3, "a")], [(0, 3, "a")], 1, 1, 1, id="right: 1/1/1"),
        pytest.param([(0, 3, "a")], [(1, 3, "a")], 0, 0, 0, id="begins too late: 0/1/1"),
        pytest.param([(1, 3, "a")], [(0, 3, "a")], 0, 0, 0, id="begins too early: 0/1/1"),
        pytest.param([(0, 3, "a")], [(0, 2, "a")], 0, 0, 0, id="ends too early: 0/1/1"),
        pytest.param([(0, 2, "a")], [(0, 3, "a")], 0, 0, 0, id="ends too late: 0/1/1"),
        pytest.param([(0, 3, "a")], [(0, 3, "b")], 0, 0, 0, id="of another type: 0/1/1"),
        pytest.param([(0, 5, "a")], [(0, 2, "a"), (2, 5, "a")], 0, 0, 0, id="one cut in two: 0/2/1"),
        pytest.param([(0, 2, "a"), (2, 5, "a")], [(0, 5, "a")], 0, 0, 0, id="two joined to one: 0/1/2"),
        pytest.param([(0, 2, "a"), (2, 5, "a")], [(2, 5, "a"), (0, 2, "a")], 1, 1, 1, id="two that touch: 2/2/2"),
        pytest.param([(0, 2, "a"), (2, 5, "b")], [(0, 2, "a"), (2, 4, "b")], 1 / 2, 1 / 2, 1 / 2, id="half: 1/2/2"),
        pytest.param(
            [(0, 1, "a"), (2, 3, "a"), (4, 5, "b")], [(0, 1, "a"), (6, 7, "c")], 1 / 2, 1 / 3, 2 / 5, id="1/2/3"
        ),
        pytest.param([(0, 3, "a")], [], 0, 0, 0, id="nothing found: 0/0/1"),
        pytest.param([], [(0, 3, "a")], 0, 0, 0, id="nothing there: 0/1/0"),
        pytest.param([], [], 0, 0, 0, id="neither: 0/0/0"),
    ],
)
def test_an_entity_counts_where_its_type_and_both_its_ends_are_right(
    there: Spans, found: Spans, precision: float, recall: float, f1: float
) -> None:
    scores = NER().scorer([output(found)], [example(there)], STATE)(np.arange(1))
    assert [scores[name] for name in ("precision", "recall", "f1")] == pytest.approx([precision, recall, f1])


THERE: list[Spans] = [[(0, 2, "a"), (3, 5, "a"), (6, 8, "b")], [(0, 4, "a"), (5, 9, "c")], []]
FOUND: list[Spans] = [[(0, 2, "a"), (3, 5, "b"), (6, 8, "b")], [(0, 4, "a"), (4, 5, "a")], [(1, 3, "b")]]
# right/found/there    a: 1/1/2  b: 1/2/1                      a: 1/2/1  c: 0/0/1                b: 0/1/0
# all three: a 2/3/3, b 1/3/1, c 0/0/1, together 3/6/5


def test_all_entities_count_alike_and_each_type_by_itself() -> None:
    outputs, examples = [*map(output, FOUND)], [*map(example, THERE)]
    scores = NER().scorer(outputs, examples, STATE)(np.arange(3))
    assert scores == pytest.approx({"precision": 3 / 6, "recall": 3 / 5, "f1": 6 / 11, "macro_f1": 7 / 18})
    wanted = {"a": (2 / 3, 2 / 3, 2 / 3, 3), "b": (1 / 3, 1, 1 / 2, 1), "c": (0, 0, 0, 1)}
    rows = NER().breakdown(outputs, examples, STATE)["per_class"]
    assert [row["label"] for row in rows] == list(wanted)
    for row in rows:
        figures = [row[name] for name in ("precision", "recall", "f1", "support")]
        assert figures == pytest.approx(wanted[row["label"]]), row["label"]


def test_an_example_that_is_drawn_twice_counts_twice_and_one_that_is_not_drawn_not_at_all() -> None:
    score = NER().scorer([*map(output, FOUND)], [*map(example, THERE)], STATE)
    drawn = score(np.array([0, 0, 2]))  # together 4/7/6
    assert [drawn[name] for name in ("precision", "recall", "f1")] == pytest.approx([4 / 7, 4 / 6, 8 / 13])
    # together 0/1/0: there is nothing that could be recalled, and the recall is that of the whole, 3/5
    assert [score(np.array([2]))[name] for name in ("precision", "recall", "f1")] == [0, 3 / 5, 0]


def test_no_entities_is_the_answer_that_reads_nothing() -> None:
    examples = [example([(0, 3, "a")])]
    base = NER().baseline(examples, STATE)
    assert NER().scorer(base, examples, STATE)(np.arange(1))["f1"] == 0
    [row, *_] = NER().breakdown(base, examples, STATE)["per_class"]
    assert row == {"label": "a", "precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}


def test_an_answer_tells_its_entities_with_their_places_and_is_as_sure_as_its_surest_wrong_one() -> None:
    example = TaggedText(text="Ann met Ann in Rome", entities=((0, 3, "PER"), (15, 19, "LOC")))
    right = Entity(text="Ann", label="PER", start=0, end=3, score=0.99)
    moved = Entity(text="Ann", label="PER", start=8, end=11, score=0.7)
    judge = partial(NER().judge, example=example, state=SpanLabels(labels=("LOC", "PER")))
    rome = Entity(text="Rome", label="LOC", start=15, end=19, score=0.8)
    assert judge(Entities(entities=(right, rome))).is_right
    assert judge(Entities(entities=(right, rome))).confidence == 0.8
    wrong = judge(Entities(entities=(right, moved)))
    assert (wrong.is_right, wrong.confidence) == (False, 0.7)
    assert wrong.given == "Ann (PER, 0 to 3), Ann (PER, 8 to 11)"
    assert wrong.wanted == "Ann (PER, 0 to 3), Rome (LOC, 15 to 19)"
    assert wrong.fault == "wrong: Ann (PER, 8 to 11); lacking: Rome (LOC, 15 to 19)"
    lacking = judge(Entities(entities=(right,)))
    assert (lacking.is_right, lacking.confidence) == (False, None)
