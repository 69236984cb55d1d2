"""Exports of each kind and version, each with the rows that it means; and what is left out, which is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functory_annotations import Doccano, LabelStudio, Prodigy, SpaCy
from functory_sdk import DataFile, Fault, Record


def found(folder: Path, reader: Any, items: Any, name: str = "export") -> tuple[list[Any], list[str]]:
    """Return the rows of items as JSON Lines (a list), or as one JSON value (a tuple, a dict), and the notes."""
    path = folder / name
    whole = list(items) if isinstance(items, tuple) else items
    text = "\n".join(map(json.dumps, items)) if isinstance(items, list) else json.dumps(whole)
    path.write_text(text, encoding="utf-8")
    file = DataFile(path)
    assert reader().recognise(file) == "certain"
    file = DataFile(path)
    rows = [row.values if isinstance(row, Record) else str(row) for row in reader().read(file)]
    return rows, file.notes


def span(start: int, end: int, label: str) -> dict[str, Any]:
    return {"start": start, "end": end, "label": label}


def test_doccano_gives_spans_whatever_its_version(tmp_path: Path) -> None:
    relations = {"text": "Ann", "entities": [{"id": 1, "label": "PER", "start_offset": 0, "end_offset": 3}], "relations": []}
    assert found(tmp_path, Doccano, [relations])[0] == [{"text": "Ann", "entities": [span(0, 3, "PER")], "relations": []}]
    old = [{"text": "Ann", "labels": [[0, 3, "PER"]], "meta": {"x": 1}}, {"text": "Bo", "labels": []}]
    assert found(tmp_path, Doccano, old)[0] == [
        {"text": "Ann", "entities": [span(0, 3, "PER")], "meta": {"x": 1}},
        {"text": "Bo", "entities": []},
    ]
    classes = [{"text": "a", "label": [[0, 1, "X"]]}, {"data": "b", "label": ["pos"]}, {"text": "c", "label": ["p", "q"]}]
    assert found(tmp_path, Doccano, classes)[0][1:] == [{"text": "b", "label": ["pos"]}, {"text": "c", "label": ["p", "q"]}]


def test_doccano_is_known_though_the_first_texts_have_no_entities(tmp_path: Path) -> None:
    for empty, marked in (
        ({"text": "a", "label": []}, {"text": "Ann", "label": [[0, 3, "PER"]]}),
        ({"text": "a", "entities": []}, {"text": "Ann", "entities": [{"label": "PER", "start_offset": 0, "end_offset": 3}]}),
    ):
        for items in ([empty, empty, marked], (empty, empty, marked)):
            rows = found(tmp_path, Doccano, items)[0]
            assert [row["entities"] for row in rows] == [[], [], [span(0, 3, "PER")]]


def test_a_text_without_a_word_of_entities_has_none_where_others_have_some(tmp_path: Path) -> None:
    prodigy = {"text": "Bo", "_task_hash": 1, "answer": "accept"}
    marked = {**prodigy, "text": "Ann", "spans": [span(0, 3, "PER")]}
    assert [row["entities"] for row in found(tmp_path, Prodigy, [prodigy, marked])[0]] == [[], [span(0, 3, "PER")]]
    minimal = {"text": "Bo", "annotator": 1, "annotation_id": 1}
    labelled = {**minimal, "text": "Ann", "label": [{**span(0, 3, ""), "labels": ["PER"]}]}
    assert [row["entities"] for row in found(tmp_path, LabelStudio, (minimal, labelled))[0]] == [[], [span(0, 3, "PER")]]
    assert "entities" not in found(tmp_path, Prodigy, [{**prodigy, "label": "x"}])[0][0]


def test_labels_have_one_form_in_a_file_whether_one_or_several_were_picked(tmp_path: Path) -> None:
    def labels(reader: Any, items: Any, column: str = "label") -> list[Any]:
        return [row[column] for row in found(tmp_path, reader, items)[0]]

    task = {"text": "a", "_task_hash": 1, "answer": "accept", "options": []}
    one, two, none = ({**task, "accept": picked} for picked in (["p"], ["p", "q"], []))
    assert labels(Prodigy, [one, two, none]) == [["p"], ["p", "q"], []]
    assert labels(Prodigy, [one, one, none]) == ["p", "p", None]
    pairs = [["a", {"cats": {"p": 1, "q": 0}}], ["b", {"cats": {"p": 1, "q": 1}}]]
    assert labels(SpaCy, tuple(pairs)) == [["p"], ["p", "q"]]
    minimal = {"text": "a", "annotator": 1, "annotation_id": 1}
    mixed = ({**minimal, "mood": "p"}, {**minimal, "mood": {"choices": ["p", "q"]}})
    assert labels(LabelStudio, mixed, "mood") == [["p"], ["p", "q"]]


def test_plain_rows_that_look_alike_are_left_to_others(tmp_path: Path) -> None:
    for number, item in enumerate(
        [
            {"text": "a", "label": "pos"},
            {"text": "a", "label": ["pos"]},
            {"text": "a", "entities": [[0, 1, "X"]]},
            {"text": "a", "spans": [span(0, 1, "X")]},
            {"question": "q", "answer": "accept"},
            {"tokens": ["a"], "tags": ["O"]},
            {"data": {"text": "a"}},
        ]
    ):
        path = tmp_path / f"{number}.jsonl"
        path.write_text(json.dumps(item))
        for reader in (Doccano, LabelStudio, Prodigy, SpaCy):
            assert reader().recognise(DataFile(path)) == "no", (reader, item)


def task(text: str, *results: tuple[str, str, dict[str, Any]], **annotation: Any) -> dict[str, Any]:
    """A task of Label Studio: its results as type, control and value."""
    result = [{"type": kind, "from_name": name, "value": value} for kind, name, value in results]
    return {"data": {"text": text}, "annotations": [{"result": result, **annotation}]}


def test_label_studio_gives_a_column_a_control_and_counts_in_characters(tmp_path: Path) -> None:
    emoji = task("😀 Ann", ("labels", "ner", {"start": 3, "end": 6, "text": "Ann", "labels": ["PER"]}))
    right = task("😀 Ann", ("labels", "ner", {"start": 2, "end": 5, "text": "Ann", "labels": ["PER"]}))
    controls = task(
        "x",
        ("choices", "topics", {"choices": ["a", "b"]}),
        ("rating", "stars", {"rating": 4}),
        ("textarea", "answer", {"text": ["yes"]}),
        ("taxonomy", "kind", {"taxonomy": [["Food", "Fruit"]]}),
    )
    rows, _ = found(tmp_path, LabelStudio, (emoji, right, controls))
    assert rows[0] == rows[1] == {"text": "😀 Ann", "entities": [span(2, 5, "PER")]}
    assert rows[2] == {"text": "x", "topics": ["a", "b"], "stars": 4, "answer": "yes", "kind": "Food / Fruit", "entities": []}


def test_label_studio_leaves_out_what_was_not_answered_and_says_so(tmp_path: Path) -> None:
    twice = task("two", ("choices", "mood", {"choices": ["sad"]}))
    twice["annotations"].append({"result": [], "was_cancelled": False})
    nothing = {"data": {"text": "none"}, "annotations": []}
    empty = task("no names")
    rows, notes = found(tmp_path, LabelStudio, (twice, nothing, nothing, task("off", was_cancelled=True), empty))
    assert rows == [{"text": "two", "mood": "sad"}, {"text": "no names", "entities": []}]
    assert notes == [
        "export: 2 left out: without an annotation, the first at item 2 (line 1).",
        "export: 1 left out: cancelled, the first at item 4 (line 1).",
        "export: 1 have several annotations: the first that stands was read.",
    ]


def test_label_studios_small_json_is_read_too(tmp_path: Path) -> None:
    item = {
        "text": "Ann left.", "id": 3, "annotator": 1, "annotation_id": 5, "lead_time": 2.5, "mood": {"choices": ["sad", "bad"]},
        "ner": [{"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}],
    }  # fmt: skip
    [row] = found(tmp_path, LabelStudio, (item,))[0]
    assert (row["text"], row["mood"], row["entities"]) == ("Ann left.", ["sad", "bad"], [span(0, 3, "PER")])


def test_prodigy_reads_what_was_accepted_and_counts_the_rest(tmp_path: Path) -> None:
    base = {"_input_hash": 1, "_task_hash": 2, "answer": "accept"}
    options = [{"id": "pos"}, {"id": "neg"}]
    rows, notes = found(
        tmp_path,
        Prodigy,
        [
            {**base, "text": "a", "label": "pos"},
            {**base, "text": "b", "label": "pos", "answer": "reject"},
            {**base, "text": "c", "options": options, "accept": ["neg"], "meta": {"n": 1}},
            {**base, "text": "d", "options": options, "accept": ["pos", "neg"]},
            {**base, "text": "e", "spans": [], "answer": "ignore"},
        ],
    )
    assert rows == [
        {"text": "a", "label": ["pos"]},
        {"text": "c", "label": ["neg"], "meta": {"n": 1}},
        {"text": "d", "label": ["pos", "neg"]},
    ]
    assert notes == [
        "export: 1 left out: rejected, the first at line 2.",
        "export: 1 left out: ignored, the first at line 5.",
    ]


def test_spacys_pairs_documents_and_annotations_with_classes_say_the_same(tmp_path: Path) -> None:
    expected = [{"text": "Ann left.", "entities": [span(0, 3, "PER")]}]
    pair = ["Ann left.", {"entities": [[0, 3, "PER"]]}]
    assert found(tmp_path, SpaCy, (pair,))[0] == expected
    assert found(tmp_path, SpaCy, {"classes": ["PER"], "annotations": [None, pair]}) == (
        expected,
        ["export: 1 left out: empty, the first at item 1 (line 1)."],
    )
    document = {"text": "Ann left.", "ents": [{"start": 0, "end": 3, "label": "PER"}], "tokens": [{"id": 0}], "cats": {}}
    assert found(tmp_path, SpaCy, [document])[0] == expected
    cats = ("so so", {"cats": {"pos": 1.0, "neg": 0.0}})
    assert found(tmp_path, SpaCy, (cats,))[0] == [{"text": "so so", "label": "pos"}]


def test_an_export_whose_first_item_is_longer_than_what_is_looked_at_is_known_all_the_same(tmp_path: Path) -> None:
    long = "word " * 20_000
    pair = [long, {"entities": [[0, 4, "X"]]}]
    rows, _ = found(tmp_path, SpaCy, {"classes": ["X"], "annotations": [pair]})
    assert [row["entities"] for row in rows] == [[span(0, 4, "X")]]
    one = task(long, ("choices", "mood", {"choices": ["sad"]}), completed_by=1)
    one = {"id": 1, "annotations": one["annotations"], "data": one["data"]}
    assert [row["mood"] for row in found(tmp_path, LabelStudio, (one,))[0]] == ["sad"]


def test_several_paragraphs_are_several_rows_with_places_of_their_own(tmp_path: Path) -> None:
    paragraph = {"sentences": [{"tokens": [{"orth": "a"}]}, {"tokens": [{"orth": "b"}]}]}
    path = tmp_path / "train.json"
    path.write_text(json.dumps([{"id": 0, "paragraphs": [paragraph, paragraph]}]))
    rows = list(SpaCy().read(DataFile(path)))
    assert [row.values for row in rows if isinstance(row, Record)] == [{"tokens": ["a", "b"]}] * 2
    assert [row.where for row in rows] == [f"train.json, item 1 (line 1), paragraph {n}" for n in (1, 2)]


@pytest.mark.parametrize(
    ("reader", "good", "bad"),
    [
        (Doccano, {"text": "a", "label": [[0, 1, "X"]]}, {"text": "a", "label": [[0, "X"]]}),
        (LabelStudio, task("a", ("choices", "c", {"choices": ["x"]})), task("a", ("labels", "n", {"labels": ["X"]}))),
        (Prodigy, {"text": "a", "spans": [], "answer": "accept"}, {"text": "a", "spans": [{"start": 0}], "answer": "accept"}),
        (SpaCy, {"text": "a", "ents": []}, {"text": "a", "ents": [{"start": "0", "end": 1, "label": "X"}]}),
    ],
)
def test_an_item_that_is_not_as_its_tool_writes_it_is_one_fault(tmp_path: Path, reader: Any, good: Any, bad: Any) -> None:
    rows, _ = found(tmp_path, reader, [good, bad, good])
    assert isinstance(rows[1], str), rows
    assert rows[1].startswith("export, line 2: ")
    assert len(rows) == 3


def test_a_line_that_is_no_json_is_one_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "label": [[0, 1, "X"]]}\n{"text": \n')
    assert [type(row) for row in Doccano().read(DataFile(path))] == [Record, Fault]
