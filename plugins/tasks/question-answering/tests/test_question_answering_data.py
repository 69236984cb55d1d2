"""The shapes that data come in, answers that do not stand where they should, and how answers are compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functory.data import read
from functory.data.examples import examples
from functory.running.inputs import arguments
from functory_question_answering import Answer, AnsweredQuestion, QuestionAnswering
from functory_sdk import DataError, Examples, InputError, cmrc, squad

CONTEXT = "In Rome it rains. Rome is wet, and 𝒳 is not."
SHAPES: dict[str, dict[str, Any]] = {
    "a text": {"answers": "wet"},
    "texts": {"answers": ["wet"]},
    "objects": {"answers": [{"text": "wet", "answer_start": 26}]},
    "our own": {"answers": [{"text": "wet", "start": 26}]},
    "columns of a data set": {"answers": {"text": ["wet"], "answer_start": [26]}},
    "one object": {"answers": {"text": "wet", "answer_start": 26}},
    "an array": {"answers": {"text": np.asarray(["wet"]), "answer_start": np.asarray([26])}},
    "JSON in a cell": {"answers": '[{"text": "wet", "answer_start": 26}]'},
    "Python in a cell": {"answers": "{'text': ['wet'], 'answer_start': [26]}"},
    "two columns": {"answer": "wet", "answer_start": "26"},
    "two columns of numbers": {"answer": "wet", "answer_start": 26.0},
    "white space around it": {"answers": [{"text": " wet ", "start": 25}]},
    "given twice": {"answers": [{"text": "wet", "start": 26}, {"text": "wet", "start": 26}]},
}
NOTHING: dict[str, dict[str, Any]] = {
    "an empty list": {"answers": []},
    "nothing": {"answers": None},
    "an empty text": {"answers": ""},
    "empty columns": {"answers": {"text": [], "answer_start": []}},
    "said so": {"answers": [{"text": "wet", "answer_start": 26}], "is_impossible": True},
}


def made(rows: list[dict[str, Any]], **options: Any) -> Examples:
    task = QuestionAnswering.configure(options)
    full = [{"question": "What is Rome?", "context": CONTEXT, **row} for row in rows]
    state = task.learn([AnsweredQuestion(question="?", context="a", answers=("a",))])
    return examples(read(full), task.Example, task.columns, check=lambda one: task.check(one, state))


@pytest.mark.parametrize("shape", SHAPES)
def test_answers_are_read_in_every_shape(shape: str) -> None:
    [example] = made([SHAPES[shape]])
    assert [(gold.text, gold.spans) for gold in example.answers] == [("wet", ((26, 29),))]
    assert CONTEXT[26:29] == "wet"
    again = AnsweredQuestion.model_validate_json(example.model_dump_json())
    assert again == example


@pytest.mark.parametrize("shape", NOTHING)
def test_no_answer_is_read_in_every_shape(shape: str) -> None:
    [example] = made([NOTHING[shape]])
    assert example.answers == ()


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.csv", "train.json"])
def test_files_of_every_kind_give_the_same_examples(tmp_path: Path, name: str) -> None:
    flat = {"question": "What is Rome?", "context": CONTEXT, "answer": "wet", "answer_start": 26}
    qas = [{"question": flat["question"], "id": "1", "answers": [{"text": "wet", "answer_start": 26}]}]
    nested = {"data": [{"title": "Rome", "paragraphs": [{"context": CONTEXT, "qas": qas}]}]}
    content = {
        "rows.jsonl": json.dumps(flat), "rows.json": json.dumps([flat]), "train.json": json.dumps(nested),
        "rows.csv": f'question,context,answer,answer_start\n{flat["question"]},"{CONTEXT}",wet,26\n',
    }  # fmt: skip
    (tmp_path / name).write_text(content[name], encoding="utf-8")
    [example] = examples(read(tmp_path / name), AnsweredQuestion, QuestionAnswering.columns)
    assert example == made([SHAPES["objects"]])[0]


@pytest.mark.parametrize(
    ("answers", "what"),
    [
        (["dry"], "'dry' does not stand in the context"),
        (["wet", " "], "an answer is empty"),
        ({"text": ["wet", "Rome"], "answer_start": [26]}, "answers have 2 texts and 1 offsets"),
        ([{"answer": "wet"}], "is no answer"),
        ([3], "'3' is no answer"),
        ([{"text": "wet", "start": "there"}], "the offset of 'wet' is 'there'"),
    ],
)
def test_answers_that_are_none_are_refused_with_their_row_and_field(answers: Any, what: str) -> None:
    with pytest.raises(DataError, match=what) as refused:
        made([SHAPES["texts"], {"answers": answers}])
    assert "rows[1], column 'answers'" in str(refused.value)


def test_an_answer_that_is_not_at_its_offset_is_moved_to_the_nearest_place_and_noted() -> None:
    found = made([{"answers": [{"text": "Rome", "start": 16}]}, SHAPES["texts"]])
    assert found[0].answers[0].spans == ((18, 22),)
    [note] = QuestionAnswering().audit(found)
    assert note.startswith("1 of 2 answers do not stand at their offset, the first 'Rome' in ")
    assert "(given 16, found 18)" in note


def test_an_offset_that_was_counted_otherwise_is_told_by_the_way_of_counting() -> None:
    found = made([{"answers": [{"text": "not", "start": 41}]}])
    assert found[0].answers[0].spans == ((40, 43),)
    [note] = QuestionAnswering().audit(found)
    assert "it was counted in UTF-16 units" in note
    with pytest.raises(DataError, match="stands from 40 on, and not from 41"):
        made([{"answers": [{"text": "not", "start": 41}]}], offsets="refuse")


def test_an_answer_without_offset_that_stands_twice_is_right_at_both_places_and_noted() -> None:
    found = made([{"answers": ["Rome"]}, {"answers": [{"text": "Rome", "start": 18}]}])
    assert found[0].answers[0].spans == ((3, 7), (18, 22))
    assert found[1].answers[0].spans == ((18, 22),)
    [note] = QuestionAnswering().audit(found)
    assert note.startswith("1 of 2 answers have no offset and stand at several places, the first 'Rome' in ")


def test_examples_without_any_answer_teach_nothing() -> None:
    with pytest.raises(DataError, match="none of 1 questions has an answer"):
        QuestionAnswering().learn(made([NOTHING["nothing"]]))


@pytest.mark.parametrize(
    ("given", "wanted", "exact", "f1"),
    [
        ("The Eiffel Tower!", "eiffel tower", 1, 1),
        ("the tower", "Eiffel Tower", 0, 2 / 3),
        ("in in Rome", "in Rome", 0, 4 / 5),
        ("the", "a", 1, 1),  # nothing but articles: nothing is left of either
        ("Paris", "Rome", 0, 0),
    ],
)
def test_english_answers_are_compared_as_squad_does(given: str, wanted: str, exact: int, f1: float) -> None:
    assert squad(given, wanted) == (exact, pytest.approx(f1))


@pytest.mark.parametrize(
    ("given", "wanted", "exact", "f1"),
    [
        ("光荣和ω-force", "光荣和ω-force。", 1, 1),
        ("《北京》", "北京", 1, 1),
        ("在北京", "北京", 0, 4 / 5),
        ("北上京", "北京", 0, 2 / 5),  # the longest common run is one character
        ("1990年5月", "1990年", 0, 2 * 2 / 6),  # 1990 is one word, 年, 5 and 月 are three
        ("上海", "北京", 0, 0),
    ],
)
def test_chinese_answers_are_compared_as_cmrc_does(given: str, wanted: str, exact: int, f1: float) -> None:
    assert cmrc(given, wanted) == (exact, pytest.approx(f1))


def test_the_best_of_several_right_answers_counts_and_no_answer_is_one() -> None:
    rows = [{"answers": ["Rome", "Rome is wet"]}, {"answers": []}, {"answers": ["wet"]}, {"answers": []}]
    answers = [Answer(answer=text, score=1) for text in ("Rome is", None, None, "wet")]
    score = QuestionAnswering().scorer(answers, list(made(rows)), QuestionAnswering.State())
    assert score(np.arange(4)) == {
        "f1": pytest.approx((0.8 + 1 + 0 + 0) / 4), "exact_match": 0.25, "answered_f1": pytest.approx(0.4),
        "unanswered_accuracy": 0.5,
    }  # fmt: skip
    assert score(np.asarray([0]))["unanswered_accuracy"] == 0.5  # a resample without one says nothing of them


def test_most_questions_decide_whose_scorer_it_is() -> None:
    rows = [{"question": "谁？", "answers": ["Rome"]}, {"question": "罗马怎么样？", "answers": ["wet"]}]
    given = [Answer(answer="the Rome", score=1), Answer(answer="wet", score=1)]
    tasks = {name: QuestionAnswering.configure({"scorer": name}) for name in ("auto", "squad", "cmrc")}
    exact = {name: task.scorer(given, list(made(rows)), task.State())(np.arange(2)) for name, task in tasks.items()}
    assert exact["auto"] == exact["cmrc"]
    assert exact["squad"]["exact_match"] == 1  # articles aside
    assert exact["cmrc"]["exact_match"] == 0.5


def test_a_question_of_white_space_is_refused_in_a_call_as_in_data() -> None:
    with pytest.raises(InputError, match="question: a question of white space"):
        arguments(QuestionAnswering.configure({}), (" \n", "It was wet."), {}, "ask(…)")
