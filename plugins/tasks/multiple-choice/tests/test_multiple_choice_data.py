"""Questions as data sets have them, and what is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from functory.measuring.evaluation import read_examples
from functory.running.inputs import arguments
from functory_multiple_choice import MultipleChoice
from functory_multiple_choice.types import Choice
from functory_sdk import DataError, InputError

FOUR = ["air", "water", "fire", "earth"]


def read(rows: Any, **options: Any) -> list[Any]:
    """Return the examples of some rows, checked."""
    task = MultipleChoice.configure(options)
    found = read_examples(task, task.State(), rows)
    return list(found)


def one(**row: Any) -> Any:
    return read([row])[0]


@pytest.mark.parametrize(
    "row",
    [
        {"question": "What do fish swim in?", "choices": FOUR, "answer": 1},
        {"goal": "What do fish swim in?", "sol1": "air", "sol2": "water", "label": 1},
        {"ctx": "Fish swim in", "endings": FOUR, "label": "1"},
        {"question": "Fish?", "ending0": "air", "ending1": "water", "ending2": "fire", "ending3": None, "label": 1},
        {"stem": "Fish?", "A": "air", "B": "water", "C": "fire", "answer_key": "B"},
        {"question": "Fish?", "choices": {"text": FOUR, "label": ["A", "B", "C", "D"]}, "answerKey": "B"},
        {"question": "Fish?", "choices": {"text": FOUR, "label": ["1", "2", "3", "4"]}, "answerKey": "2"},
        {"question": "Fish?", "options": {"A": "air", "B": "water"}, "answer": "B"},
        {"question": "Fish?", "options": str(FOUR), "answer": " water "},
        {"question": "Fish?", "options": FOUR, "answer": "(b)"},
    ],
)
def test_questions_are_read_in_every_usual_shape(row: dict[str, Any]) -> None:
    found = one(**row)
    assert (found.place, found.right, found.answer) == (1, "water", "water")


def test_a_context_has_its_names_too() -> None:
    found = one(材料="鱼在水里游。", 问题="鱼在哪里？", 选项=["天上", "水里"], 答案="水里")
    assert (found.context, found.question, found.options, found.place) == ("鱼在水里游。", "鱼在哪里？", ("天上", "水里"), 1)


def test_a_csv_file_with_a_column_for_each_option(tmp_path: Path) -> None:
    file = tmp_path / "quiz.csv"
    file.write_text("question,A,B,C,answer\nFish?,air,water,fire,B\nBirds?,air,water,,A\n", encoding="utf-8")
    first, second = read(file)
    assert (first.options, first.place) == (("air", "water", "fire"), 1)
    assert (second.options, second.place) == (("air", "water"), 0)


def test_whether_numbers_begin_at_one_is_told_by_all_rows_together() -> None:
    def places(*answers: Any, **options: Any) -> list[Any]:
        rows = [{"question": f"{number}?", "options": FOUR, "answer": answer} for number, answer in enumerate(answers)]
        return [example.place for example in read(rows, **options)]

    assert places(1, 2, 4) == [0, 1, 3]
    assert places(1, 2, 0) == [1, 2, 0]
    assert places(1, 2, 3) == [1, 2, 3]
    assert places(1, 2, 3, first_number=1) == [0, 1, 2]
    assert places("4", 1.0, "water") == [3, 0, 1]


def test_an_option_that_is_a_number_is_meant_by_its_text() -> None:
    assert one(question="How many?", options=["3", "1", "0"], answer="1").place == 1
    assert one(question="How many?", options=["3", "1", "0"], answer=0).place == 0


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"options": FOUR, "answer": 7}, "the answer 'number 7' is none of its 4 options"),
        ({"options": FOUR, "answer": "stone"}, "the answer 'stone' is none of its 4 options"),
        ({"options": FOUR, "answer": "E"}, "the answer 'E' is none of its 4 options"),
        ({"options": FOUR, "answer": -1}, "the answer -1 is none of its 4 options"),
        ({"options": ["water"], "answer": 0}, "a choice is among two options at least, and there is one"),
        ({"options": [], "answer": 0}, "there are none"),
        ({"options": ["air", "air "], "answer": 0}, "the option 'air' stands there twice"),
        ({"options": ["air", " "], "answer": 0}, "option 2 is empty"),
        ({"options": FOUR, "answer": 0, "question": " "}, "'question' is empty"),
        ({"options": FOUR, "answer": None}, "'answer' is missing"),
    ],
)
def test_what_is_no_question_is_refused_with_row_and_field(row: dict[str, Any], says: str) -> None:
    sound = {"question": "Fish?", "options": FOUR, "answer": "water"}
    with pytest.raises(DataError) as caught:
        read([sound, {"question": "What?", **row}])
    told = str(caught.value)
    assert says in told
    assert "rows[1]" in told
    assert any(field in told for field in ("question", "options", "answer"))


def test_a_caller_is_told_the_same() -> None:
    from functory.running.inputs import arguments

    task = MultipleChoice()
    for options in (["water"], [], ["air", "air"]):
        with pytest.raises(InputError, match="options"):
            arguments(task, ("Fish?", options), {}, "choose(question, options)")
    with pytest.raises(InputError, match="question"):
        arguments(task, (" ", FOUR), {}, "choose(question, options)")


def test_the_baseline_is_the_commonest_place_and_reads_nothing() -> None:
    found = read([{"question": f"{n}?", "options": FOUR[: 2 + n % 3], "answer": 1} for n in range(6)])
    task = MultipleChoice()
    answers = task.baseline(found, task.State())
    assert {answer.index for answer in answers} == {1}
    assert task.scorer(answers, found, task.State())(list(range(6))) == {"accuracy": 1.0, "mean_rank": 1.0}


def test_an_empty_column_between_two_options_is_refused_since_letters_would_name_others(tmp_path: Path) -> None:
    file = tmp_path / "quiz.csv"
    file.write_text("question,A,B,C,answer\nFish?,air,water,fire,B\nBirds?,,air,water,B\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"(?s)option 1 is empty.*quiz.csv, line 3"):
        read(file)


def test_options_alike_to_the_eye_are_refused_and_half_of_a_surrogate_pair_is_named_by_its_field() -> None:
    task = MultipleChoice.configure({})
    for given, says in ((("q", ["\u00e9", "e\u0301"]), "twice"), (("q", ["a", "\ud800"]), "options: it holds half"),
                        (("q", ["a", "b"], "\ud800"), "context: it holds half")):  # fmt: skip
        with pytest.raises(InputError, match=says):
            arguments(task, given, {}, "choose(…)")


def test_options_that_are_equally_likely_share_the_mean_of_their_places() -> None:
    task = MultipleChoice.configure({})
    found = [one(question="Fish?", options=FOUR, answer=place) for place in range(4)]
    even = Choice(choice="air", index=0, score=0.25, scores=dict.fromkeys(FOUR, 0.25))
    assert task.scorer([even] * 4, found, task.State())(list(range(4))) == {"accuracy": 0.25, "mean_rank": 2.5}
    always = task.baseline(found, task.State())
    assert task.scorer(always, found, task.State())(list(range(4))) == {"accuracy": 0.25, "mean_rank": 2.5}


def test_how_sure_an_answer_is_and_how_likely_the_right_option_was() -> None:
    task = MultipleChoice.configure({})
    found = [one(question="Fish?", options=FOUR, answer=place) for place in (1, 2)]
    given = Choice(choice="water", index=1, score=0.6, scores=dict(zip(FOUR, (0.1, 0.6, 0.2, 0.1), strict=True)))
    told = task.certainty([given, given], found, task.State())
    assert (told.sure.tolist(), told.is_right.tolist()) == ([0.6, 0.6], [True, False])
    assert told.of_right is not None
    assert told.of_right.tolist() == [0.6, 0.2]
