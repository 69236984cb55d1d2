"""A backbone that writes is asked for names: what it writes always parses, stands in the text, and is of a type that there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import functory
from functory_ner import TaggedText
from functory_ner.types import NERLabels, NEROptions
from functory_sdk import BackboneSpec, OptionError, Said, TooLong
from functory_sdk.spans.asking import Excerpt, SpanAsking
from functory_sdk.testing import kit

LABELS = ("per", 'a "place"')
SHORT = {"labels": LABELS, "prompt": "{examples}{text}\n", "max_new_tokens": 60}
TEXTS = ("Ann saw Bob", "", "王明在北京见到了李娜。", 'a "b" \\ c\nd <end>', "we \U0001f468‍\U0001f469‍\U0001f467 saw Zoe\u0308")
SPEC = BackboneSpec(reference="x", architecture="decoder", family="llama", width=8, layers=1, vocabulary=9, context=999, pad_id=0,
                    has_logits=True, weights_hash="0")  # fmt: skip


@pytest.fixture(scope="module")
def names() -> Iterator[Any]:
    """A function on a tiny decoder with random weights: what it finds is noise, and of the right form."""
    with kit():
        yield functory.build(task={"name": "ner", **SHORT}, backbone="tiny-decoder", golden=list(TEXTS[:2]))


def test_whatever_is_written_is_words_of_the_text_of_a_type_that_there_is(names: Any) -> None:
    found = [[*names.using(temperature=2.0, seed=seed).map(TEXTS, progress=False)] for seed in range(5)]
    for some in (*found, [*names.using(beams=2).map(TEXTS, progress=False)]):
        for text, output in zip(TEXTS, some, strict=True):
            for one in output.entities:
                assert text[one.start : one.end] == one.text
                assert one.label in LABELS
                assert 0 <= one.score <= 1
            for one, other in combinations(output.entities, 2):
                assert one.end <= other.start
    assert {one.label for some in found for output in some for one in output.entities} == {*LABELS}
    assert not any(some[1].entities for some in found)


def test_names_are_the_same_in_any_batch_when_loaded_and_in_long_texts_in_parts(names: Any, tmp_path: Path) -> None:
    texts = [*TEXTS, "Ann saw Bob. " * 12]
    together = list(names.map(texts, progress=False))
    assert together == [names(text) for text in texts]
    assert list(functory.load(names.save(tmp_path / "names")).map(texts, progress=False)) == together
    assert together[-1].notes[0].startswith("read in ")
    assert any("cut at" in note for note in names.replaced(about=replace(names.about, long_text="cut"))(texts[-1]).notes)
    with pytest.raises(TooLong, match="does not fit"):
        names.replaced(about=replace(names.about, long_text="refuse"))(texts[-1])


def read(text: str, written: str, standing: str = "flat", chances: Any = None) -> list[tuple[int, int, str]]:
    """Return the entities that something written is read as."""
    chances = np.full(len(written), 0.5) if chances is None else chances
    asking = SpanAsking(NEROptions(labels=("A", "B")), SPEC, TaggedText, standing)
    said = Said(written, chances, np.arange(1, len(written) + 1))
    state = NERLabels(labels=("A", "B"))
    output = asking.read(SimpleNamespace(text=text), [Excerpt(text, 0)], [said], (), state)
    return [(one.start, one.end, one.label) for one in output.entities]


@pytest.mark.parametrize(("text", "written", "standing", "found"), [
    ("Ann met Ann", '{"A": ["Ann", "Ann", "Ann"], "B": []}', "flat", [(0, 3, "A"), (8, 11, "A")]),
    ("Annie met Ann", '{"A": ["Ann"], "B": []}', "flat", [(10, 13, "A")]),
    ("New\n York", '{"A": ["New York"], "B": []}', "flat", [(0, 9, "A")]),
    ("the Rome club", '{"A": ["Rome"], "B": ["Rome club"]}', "nested", [(4, 8, "A"), (4, 13, "B")]),
    ("the Rome club", '{"A": ["the Rome"], "B": ["Rome club"]}', "overlapping", [(0, 8, "A"), (4, 13, "B")]),
    ("the Rome club", '{"A": ["the Rome"], "B": ["Rome club"]}', "nested", [(0, 8, "A")]),
    ("the Rome club", '{"A": ["Rome"], "B": ["Rome"]}', "overlapping", [(4, 8, "A")]),
    ("the Rome club", '{"A": ["Rome"], "B": ["Rome club"]}', "flat", [(4, 8, "A")]),
    ("a “b” c", '{"A": ["“b”"], "C": ["c"]}', "flat", [(2, 5, "A")]),
])  # fmt: skip
def test_what_is_written_is_found_in_the_text_in_its_order(text: str, written: str, standing: str, found: Any) -> None:
    assert read(text, written, standing) == found


def test_of_two_that_may_not_stand_together_the_surer_one_is_kept() -> None:
    written = '{"A": ["the Rome"], "B": ["Rome club"]}'
    sure = np.where(np.arange(len(written)) >= written.index("B"), 0.9, 0.2)
    assert read("the Rome club", written, "flat", sure) == [(4, 13, "B")]


def test_it_learns_names_by_writing_them_and_nested_ones_too() -> None:
    rows = [{"text": f"{who} in {place}", "entities": [[0, 3, "per"], [7, 12, "loc"], [10, 12, "in"]]}
            for who in ("Ann", "Bob", "Eve") for place in ("x  me", "y  lo", "z  nn")]  # fmt: skip
    with kit():
        task = {"name": "ner", "prompt": "{text}\n", "max_new_tokens": 60, "spans": "nested"}
        taught = functory.build(
            task=task, train=rows, dev=rows, backbone="tiny-decoder", put="prompt", report=False, golden=["Ann"],
            adaptation={"name": "full", "epochs": 24, "learning_rate": 4e-3, "batch_rows": 3},
        )  # fmt: skip
        assert taught.form.put == "prompt"
        assert taught.evaluate(rows).metrics["f1"].value > 0.6


def test_examples_are_shown_with_their_names_under_each_type(names: Any) -> None:
    rows = [{"text": "Ann <end> Bob", "entities": [[0, 3, "per"], [10, 13, "per"]]}]
    with kit():
        shown = functory.build(
            task={"name": "ner", **SHORT, "labels": ("per", "loc")}, train=rows, backbone="tiny-decoder", report=False,
            adaptation={"name": "prompt", "demonstrations": 1}, golden=["a"],
        )  # fmt: skip
        [request] = shown.form.formulation.encode([shown.read("we")], shown.reader, shown.state).requests
    told = shown.form.tokenizer.text(request.ids, keep_special=True)
    assert told == 'Ann <end> Bob\n{"per": ["Ann", "Bob"], "loc": []}\n\nwe\n'
    assert shown.form.tokenizer.id("<end>") not in request.ids


def test_a_guide_of_the_callers_and_too_few_tokens_are_refused(names: Any) -> None:
    with pytest.raises(OptionError, match="has a form of its own"):
        names.using(guide=["a"])
    with pytest.raises(OptionError, match="max_new_tokens = 4 is too few"):
        names.using(max_new_tokens=4)("Ann")
    assert names("Ann") is not None
