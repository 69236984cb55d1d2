"""A backbone that writes says how likely each relation is, with names of them alone or with examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import functory
from functory_relation.asking import AskRelation
from functory_sdk import NotSupported
from functory_sdk.testing import kit

LABELS = {"Author(e1,e2)": "wrote", "Author(e2,e1)": "was written by", "none": ""}
TEXTS = ("<e1>Ann</e1> saw <e2>Bob</e2>", "<e1>王明</e1>写了<e2>书</e2>。", "a <e2>film</e2> of <e1>rain</e1> " + "and sun " * 20)


def built(**parts: Any) -> Any:
    task = {"name": "relation", "labels": LABELS, "prompt": "{text}\n{head}, {tail}:"}
    return functory.build(task=task, backbone="tiny-decoder", golden=list(TEXTS[:2]), report=False, **parts)


def test_relations_are_told_without_any_example_the_same_in_any_batch_and_when_loaded(tmp_path: Path) -> None:
    with kit():
        ask = built()
        together = list(ask.map(TEXTS, progress=False))
        assert isinstance(ask.form.formulation, AskRelation)
        for text, output in zip(TEXTS, together, strict=True):
            alone = ask(text)
            assert alone.scores == pytest.approx(output.scores, abs=1e-5)
            assert (alone.subject, alone.relation, alone.object) == (output.subject, output.relation, output.object)
        assert list(functory.load(ask.save(tmp_path / "ask")).map(TEXTS, progress=False)) == together
    for output in together:
        assert output.label in LABELS
        assert sum(output.scores.values()) == pytest.approx(1, abs=1e-3)
        assert (output.relation is None) == (output.label == "none")
    assert {together[0].subject, together[0].object} == {"Ann", "Bob"}
    assert any("cut at" in note for note in together[2].notes)


def test_examples_are_shown_with_both_spans_and_the_words_of_their_relation() -> None:
    rows = [{"text": "<e1>Ann</e1> of <e2>Sun</e2>", "label": "Author(e1,e2)"}]
    with kit():
        shown = built(train=rows, adaptation={"name": "prompt", "demonstrations": 1})
        encoded = shown.form.formulation.encode([shown.read("<e1>we</e1> saw <e2>it</e2>")], shown.reader, shown.state)
    told = shown.form.tokenizer.text(encoded.rows[0]["input_ids"])
    assert told == "Ann of Sun\nAnn, Sun: wrote\n\nwe saw it\nwe, it: wrote"


def test_without_examples_and_without_names_of_relations_there_is_nothing_to_ask() -> None:
    with kit(), pytest.raises(NotSupported, match="learns from examples"):
        functory.build(task="relation")
