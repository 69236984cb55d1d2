from __future__ import annotations

import warnings
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functory_ner import NER, TaggedText
from functory_sdk import Entities, Entity, Span, SpanLabels

STATE = SpanLabels(labels=("a", "b", "c"))
SIZE = 12
CUTS = st.lists(
    st.tuples(st.integers(0, SIZE), st.sampled_from(STATE.labels)), max_size=6, unique_by=lambda cut: cut[0]
)


def spans(cuts: list[tuple[int, str]]) -> list[Span]:
    """Every second stretch between neighbouring cuts, or the next one too: entities may touch."""
    ordered = sorted(cuts)
    return [Span(start=a, end=b, label=label) for i, ((a, label), (b, _)) in enumerate(pairwise(ordered)) if i % 3 != 2]


def tags(found: list[Span]) -> list[str]:
    row = ["O"] * SIZE
    for span in found:
        row[span.start : span.end] = [f"B-{span.label}", *[f"I-{span.label}"] * (span.end - span.start - 1)]
    return row


@settings(deadline=None)
@given(st.lists(st.tuples(CUTS, CUTS), min_size=1, max_size=6), st.data())
def test_the_figures_are_seqevals_in_strict_iob2(pairs: list[tuple[list, list]], data: st.DataObject) -> None:
    metrics = pytest.importorskip("seqeval.metrics", reason="pip install functory-ner[testing]")
    from seqeval.scheme import IOB2

    wanted, given_ = [spans(a) for a, _ in pairs], [spans(b) for _, b in pairs]
    examples = [TaggedText(text="x" * SIZE, entities=tuple(one)) for one in wanted]
    outputs = [
        Entities(entities=tuple(Entity(text="", score=1.0, **span.model_dump()) for span in one)) for one in given_
    ]
    chosen = np.asarray(data.draw(st.lists(st.integers(0, len(pairs) - 1), min_size=1, max_size=8)))
    scores = NER().scorer(outputs, examples, STATE)(chosen)
    gold, said = [[tags(side[i]) for i in chosen] for side in (wanted, given_)]
    if not any(tag != "O" for row in gold + said for tag in row):
        assert scores["f1"] == 0
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("precision", "recall", "f1"):
            reference = getattr(metrics, f"{name}_score")(gold, said, mode="strict", scheme=IOB2)
            assert scores[name] == pytest.approx(reference), name


def test_no_entities_is_the_answer_that_reads_nothing() -> None:
    examples = [TaggedText(text="Ann", entities=(Span(start=0, end=3, label="a"),))]
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
    lacking = judge(Entities(entities=(right,)))
    assert (lacking.is_right, lacking.confidence) == (False, None)
