"""Spans as data have them: marked or counted, wrong ones refused by row and field, long texts cut around them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functory
from functory.contracts.trust import Abstaining
from functory_relation import Places, Relation
from functory_relation.metrics import scorer
from functory_relation.relate import encoded, relation_of
from functory_relation.types import RelationLabels
from functory_sdk import Classification, DataError, InputError, Reader, TooLong
from functory_sdk.testing import converted
from functory_sdk.testing.tiny import TinyEncoder

pytestmark = pytest.mark.usefixtures("tiny_kit")

ROWS = [
    {"text": text.format(one, other), "label": label}
    for one, other in (("film", "day"), ("book", "rain"), ("sun", "night"), ("we", "book"))
    for text, label in (
        ("the <e1>{0}</e1> was in the <e2>{1}</e2>", "In(e1,e2)"),
        ("the <e1>{0}</e1> had a good <e2>{1}</e2>", "In(e2,e1)"),
        ("a <e1>{0}</e1> and a <e2>{1}</e2>", "Other"),
    )
]


@pytest.fixture(scope="module")
def related() -> Any:
    return functory.build(
        task="relation", train=ROWS, backbone="tiny-encoder", adaptation={"name": "head", "penalty": 0.01, "hidden": 0},
        dev_share=0.0, test_share=0.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "The <e1>boat</e1> lay in the <e2>dock</e2>.", "The [E1]boat[/E1] lay in the [E2]dock[/E2].",
        "The [E1]boat[\\E1] lay in the [E2]dock[\\E2].", "The <head>boat</head> lay in the <TAIL>dock</TAIL>.",
        "The <e1> boat </e1> lay in the <e2> dock</e2>.", "The <subj>boat</subj> lay in the <obj>dock</obj>.",
    ],
)  # fmt: skip
def test_marks_are_taken_out_of_a_text_and_leave_its_spans(text: str) -> None:
    value = Places.model_validate({"text": text})
    assert " ".join(value.text.split()) == "The boat lay in the dock."
    assert [value.text[one.start : one.end] for one in (value.head, value.tail) if one] == ["boat", "dock"]


def test_marks_beside_spans_are_text_and_spans_are_read_in_every_shape() -> None:
    text = "a <e1>b</e1> c"
    for head in ([2, 6], {"start": 2, "end": 6, "label": "X"}, "[2, 6]", (2, 6)):
        value = Places.model_validate({"text": text, "head": head, "tail": [13, 14]})
        assert value.text == text
        assert value.head is not None
        assert (value.head.start, value.head.end) == (2, 6)


@pytest.mark.parametrize(
    ("row", "field", "says"),
    [
        ({"text": "a boat", "head": [0, 1]}, "tail", "marks no such span"),
        ({"text": "a boat"}, "head", "marks no such span"),
        ({"text": "a boat", "head": [0, 1], "tail": [2, 9]}, "tail", "no part of a text of 6 characters"),
        ({"text": "a boat", "head": [3, 3], "tail": [0, 1]}, "head", "no part of a text"),
        ({"text": "a boat", "head": [0, 4], "tail": [2, 6]}, "tail", "overlaps the head"),
        ({"text": "a  boat", "head": [1, 3], "tail": [3, 7]}, "head", "all white space"),
        ({"text": "cafe\u0301 b", "head": [0, 4], "tail": [6, 7]}, "head", "cuts the character 'e\u0301' at 4"),
        ({"text": "a \U0001f469\u200d\U0001f52c b", "head": [2, 3], "tail": [6, 7]}, "head", "cuts the character"),
        ({"text": "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", "head": [0, 2], "tail": [3, 4]}, "tail", "cuts the character"),
        ({"text": "\U0001f44d\U0001f3fd b", "head": [0, 1], "tail": [3, 4]}, "head", "cuts the character"),
        ({"text": "", "head": [0, 1], "tail": [2, 3]}, "text", ""),
        ({"text": "<e1>a</e1> <e1>b</e1> <e2>c</e2>"}, "head", "opens its mark twice and closes it twice"),
        ({"text": "<e1>a and <e2>c</e2>"}, "head", "opens its mark once and closes it never"),
        ({"text": "</e1>a<e1> and <e2>c</e2>"}, "head", "closes before it opens"),
        ({"text": "<e1>a</e1> and b"}, "head", "this one alone is"),
    ],
)
def test_a_span_that_is_none_is_refused_with_row_and_field(row: Any, field: str, says: str, related: Any, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    good = {"text": "we saw", "head": [0, 2], "tail": [3, 6], "label": "Other"}
    given = {"head": None, "tail": None, **row, "label": "Other"}
    file.write_text("".join(json.dumps(one) + "\n" for one in (good, given)), encoding="utf-8")
    with pytest.raises(DataError, match=field) as refused:
        related.evaluate(file)
    assert "rows.jsonl, line 2" in str(refused.value)
    assert says in str(refused.value)
    with pytest.raises(InputError, match=field):
        related(**row)


def test_a_control_character_is_no_part_of_the_letter_before_it() -> None:
    value = Places.model_validate({"text": "a\0b wrote x", "head": [0, 1], "tail": [10, 11]})
    assert value.head is not None
    assert value.head.end == 1


def test_marks_stand_around_the_tokens_of_the_spans_and_the_head_reads_there() -> None:
    backbone = TinyEncoder.configure({})
    reader = Reader(backbone.tokenizer, backbone.spec)
    for text in ("the <e1>good film</e1> and the <e2>day</e2>", "the <e2>day</e2> and <e1>film</e1>", "<e1>好</e1><e2>天</e2>"):
        [row] = encoded([Places.model_validate({"text": text})], reader).rows
        signs = [backbone.tokenizer.tokens([mark])[0].ids.tolist() for mark in ("@", "#")]
        opened, other, closed, end = row["places"].tolist()
        for place, sign in ((opened, signs[0]), (closed, signs[0]), (other, signs[1]), (end, signs[1])):
            assert row["input_ids"][place : place + len(sign)].tolist() == sign
        inside = row["input_ids"][opened + len(signs[0]) : closed].tolist()
        marked = Places.model_validate({"text": text})
        assert marked.head
        wanted = backbone.tokenizer.tokens([marked.text[marked.head.start : marked.head.end]])[0].ids.tolist()
        assert inside == wanted


def test_a_long_text_is_cut_around_both_spans_wherever_they_stand_and_told(related: Any) -> None:
    filler = "it was a very fine day and we saw rain " * 20
    backbone = TinyEncoder.configure({})
    reader, refusing = (Reader(backbone.tokenizer, backbone.spec, rule) for rule in ("window", "refuse"))
    texts = [
        f"{filler}<e1>film</e1> {filler}<e2>book</e2> {filler}", f"<e1>film</e1> {filler}<e2>book</e2>",
        f"<e1>film {filler}</e1> and <e2>book {filler}</e2>",
    ]  # fmt: skip
    for text in texts:
        value = Places.model_validate({"text": text})
        made = encoded([value], reader)
        [row] = made.rows
        assert len(row["input_ids"]) == backbone.spec.context
        for word in ("film", "book"):
            [wanted] = backbone.tokenizer.tokens([word])[0].ids.tolist()
            assert wanted in row["input_ids"]
        assert related(text).notes == made.side[0].notes
        assert "around the spans" in made.side[0].notes[0]
        with pytest.raises(TooLong, match="tokens"):
            encoded([value], refusing)


def official(right: list[str], given: list[str]) -> float:
    """Return SemEval-2010 task 8's score by its definition: 9-way, direction taken into account, Other left out."""
    names = sorted({relation_of(label)[0] for label in right + given} - {"Other"})
    scores = []
    for name in names:
        hits = sum(one == other and relation_of(one)[0] == name for one, other in zip(right, given, strict=True))
        said, true = (sum(relation_of(label)[0] == name for label in some) for some in (given, right))
        precision, recall = hits / said if said else 0.0, hits / true if true else 0.0
        scores.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    return float(np.mean(scores))


def test_macro_f1_is_the_score_of_semeval_2010_task_8() -> None:
    draw = np.random.default_rng(1)
    labels = ("Cause(e1,e2)", "Cause(e2,e1)", "Part(e1,e2)", "Part(e2,e1)", "Topic(e1,e2)", "Other")
    state = RelationLabels(labels=labels, nothing="Other")
    right = [str(one) for one in draw.choice(labels, 200)]
    given = [one if draw.random() < 0.5 else str(draw.choice(labels)) for one in right]
    outputs = [Classification(label=one, score=1.0, scores={}) for one in given]
    found = scorer(outputs, right, state)(np.arange(200))
    assert found["macro_f1"] == pytest.approx(official(right, given))
    hits = sum(one == other != "Other" for one, other in zip(right, given, strict=True))
    assert found["precision"] == pytest.approx(hits / sum(one != "Other" for one in given))
    assert found["recall"] == pytest.approx(hits / sum(one != "Other" for one in right))
    turned = [Classification(label="Cause(e2,e1)", score=1.0, scores={})]
    assert scorer(turned, ["Cause(e1,e2)"], state)(np.arange(1))["macro_f1"] == 0, "the wrong direction is wrong"


def test_a_relation_that_is_declined_names_none_and_is_measured_as_though_it_was_answered(related: Any) -> None:
    limit = Abstaining(at=0.1, confidence=0.95, limit=1.0, rows=100)
    silent = related.replaced(state=related.state.model_copy(update={"abstaining": limit}))
    answer, declined = related(ROWS[0]["text"]), silent(ROWS[0]["text"])
    assert (declined.label, declined.relation, declined.abstained, declined.scores) == (None, None, True, answer.scores)
    assert silent.evaluate(ROWS).metrics == related.evaluate(ROWS).metrics
    assert silent.evaluate(ROWS).per_class == related.evaluate(ROWS).per_class


def test_an_answer_names_the_spans_in_the_order_of_the_relation(related: Any) -> None:
    turned = related("the <e1>film</e1> had a good <e2>day</e2>")
    assert (turned.label, turned.relation, turned.subject, turned.object) == ("In(e2,e1)", "In", "day", "film")
    none = related("a <e1>film</e1> and a <e2>day</e2>")
    assert none.relation is None
    assert related.state.nothing == "Other"
    assert "day –In→ film" in turned.in_line()


def test_a_word_of_the_text_is_weighed_at_its_place_without_the_marks(related: Any) -> None:
    text = "the <e1>film</e1> had a good <e2>day</e2>"
    found = related.explain(text, method="gradient-x-input")
    assert [piece.text for piece in found.pieces] == ["the", "film", "had", "a", "good", "day"]
    assert all(piece.weight for piece in found.pieces)


def test_it_is_saved_and_loaded_and_converted_to_int8(related: Any, tmp_path: Path) -> None:
    related.save(tmp_path / "related")
    texts = [row["text"] for row in ROWS]
    expected = [one.scores["Other"] for one in related.map(texts)]
    assert [one.scores["Other"] for one in functory.load(tmp_path / "related").map(texts)] == pytest.approx(expected, abs=1e-5)
    fast = converted(related, tmp_path / "files", inputs=texts)
    assert [one.scores["Other"] for one in fast.map(texts)] == pytest.approx(expected, abs=0.3)


def test_a_backbone_that_writes_its_last_states_is_refused() -> None:
    from functory_sdk import NotSupported
    from functory_sdk.testing.tiny import TinyEncoderDecoder

    with pytest.raises(NotSupported, match="where it writes"):
        Relation().formulations(TinyEncoderDecoder.configure({}).spec)


def test_files_of_semeval_and_sentences_with_relations_train_as_they_are(tmp_path: Path) -> None:
    semeval = tmp_path / "TRAIN_FILE.TXT"
    semeval.write_text(
        "".join(f'{n}\t"{row["text"]}"\n{row["label"]}\nComment: a\n\n' for n, row in enumerate(ROWS, 1)), encoding="utf-8"
    )
    sentences = tmp_path / "sentences.jsonl"
    rows = [
        {"text": "Ann saw Rome and Bonn", "entities": [{"start": 0, "end": 3}, {"start": 8, "end": 12}, {"start": 17, "end": 21}],
         "relations": [{"head": 1, "tail": 0, "label": "Seen"}, {"head": 2, "tail": 0, "label": "Seen"}]},
        {"text": "a day", "entities": [], "relations": []},
    ]  # fmt: skip
    sentences.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = list(functory.data.read(sentences, format="entities-and-relations"))
    assert [(one.values["head"], one.values["tail"], one.values["label"]) for one in found] == [
        ([0, 3], [8, 12], "Seen(e2,e1)"), ([0, 3], [17, 21], "Seen(e2,e1)"), ([8, 12], [17, 21], "none"),
    ]  # fmt: skip
    built = functory.build(
        task="relation", train=semeval, backbone="tiny-encoder", adaptation={"name": "head", "penalty": 0.01, "hidden": 0},
        dev_share=0.0, test_share=0.0,
    )  # fmt: skip
    assert built.state.labels == ("In(e1,e2)", "In(e2,e1)", "Other")
