"""What is right and what is wrong, by the fields that an output and an example share; and the list of mistakes."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from functory.contracts.judging import told
from functory.contracts.task import Input, Output, Task
from functory.data import Examples
from functory.measuring.mistakes import LONGEST, mistakes, rows


class Text(Input):
    text: str


class Span(BaseModel):
    start: int
    label: str


class Scored(Span):
    score: float


def task_of(gold: Any, answer: Any, name: str = "answer", other: str = "answer") -> Any:
    """Return a task whose example has a gold field, and whose output has an answer, of these types."""
    example = type("Example", (Text,), {"__annotations__": {name: gold}})
    output = type("Made", (Output,), {"__annotations__": {other: answer, "score": float}, "score": 0.5})

    class Made(Task[Any]):
        Input: ClassVar = Text
        Output: ClassVar = output
        Example: ClassVar = example

    return Made()


@pytest.mark.parametrize(
    ("gold", "wanted", "answer", "given", "is_right", "words"),
    [
        (str, "yes", str, "yes", True, "yes"),
        (str, "yes", str, "no", False, "no"),
        (bool, True, bool, False, False, "False"),
        (int, 3, int, 3, True, "3"),
        (float, 3.5, float, 3.49, None, "3.49"),
        (list[str], ["a", "b"], list[str], ["a"], False, "a"),
        (list[str], [], list[str], [], True, "nothing"),
        (list[Span], [{"start": 1, "label": "x"}], list[Scored], [{"start": 1, "label": "x", "score": 0.1}], True, None),
        (list[Span], [{"start": 1, "label": "x"}], list[Scored], [{"start": 2, "label": "x", "score": 0.9}], False, None),
        (list[Span], [{"start": 1, "label": "x"}], list[Scored], [], False, "nothing"),
    ],
)  # fmt: skip
def test_an_answer_is_right_where_it_agrees_in_all_that_both_say(
    gold: Any, wanted: Any, answer: Any, given: Any, is_right: bool | None, words: str | None
) -> None:
    task = task_of(gold, answer)
    output, example = task.Output(answer=given), task.Example(text="a text", answer=wanted)
    found = task.judge(output, example, None)
    assert found.is_right is is_right
    assert words is None or found.given == words
    assert found.confidence == 0.5


def test_an_answer_with_nothing_to_compare_it_with_is_told_and_neither_right_nor_wrong() -> None:
    task = task_of(str, str, "reference", "written")
    found = task.judge(task.Output(written="so"), task.Example(text="", reference="so"), None)
    assert (found.given, found.wanted, found.is_right) == ("so", None, None)
    places, items = ("row 1",), (task.Example(text="", reference="so"),)
    assert mistakes(task, [task.Output(written="so")], Examples(items, places, "list"), None, 5) == (None, ())


def test_how_sure_an_answer_was_is_the_largest_of_its_scores_before_its_score() -> None:
    task = task_of(str, str)
    made = type("More", (task.Output,), {"__annotations__": {"scores": dict[str, float]}})
    found = task.judge(made(answer="a", scores={"a": 0.9, "b": 0.1}), task.Example(text="", answer="a"), None)
    assert (found.confidence, found.given) == (0.9, "a")


def test_mistakes_come_the_surest_first_with_place_and_one_line_of_text() -> None:
    task = task_of(str, str)
    scores = [0.6, 0.9, 0.99, 0.7]
    items = tuple(task.Example(text=f"a\nlong  text {n} " + "word " * 200, answer="yes") for n in range(4))
    outputs = [task.Output(answer="yes" if n == 2 else "no", score=score) for n, score in enumerate(scores)]
    found = Examples(items, tuple(f"a.csv, line {n + 2}" for n in range(4)), "a.csv")
    wrong, kept = mistakes(task, outputs, found, None, 2)
    assert wrong == 3
    assert [(one.place, one.given, one.wanted, one.confidence) for one in kept] == [
        ("a.csv, line 3", "no", "yes", 0.9), ("a.csv, line 5", "no", "yes", 0.7),
    ]  # fmt: skip
    assert kept[0].text.startswith("a long text 1 word")
    assert len(kept[0].text) <= LONGEST
    assert kept[0].text.endswith("…")


def test_plain_data_are_told_in_words() -> None:
    assert told({"a": ["x", "y"], "b": 0.25}) == "a x, y, b 0.25"
    assert told(()) == told(None) == told("") == "nothing"


def test_what_is_wrong_with_an_answer_of_parts_is_told_by_those_parts() -> None:
    task = task_of(list[str], list[str])
    found = task.judge(task.Output(answer=["a", "b", "b"]), task.Example(text="", answer=["b", "c"]), None)
    assert found.fault == "wrong: a, b; lacking: c"
    assert task.judge(task.Output(answer=["a"]), task.Example(text="", answer=["a"]), None).fault == ""
    one = task_of(str, str)
    assert one.judge(one.Output(answer="a"), one.Example(text="", answer="b"), None).fault == ""
    items = (task.Example(text="x", answer=["b", "c"]),)
    wrong, kept = mistakes(task, [task.Output(answer=["b"])], Examples(items, ("a, line 1",), "a"), None, 5)
    header, table = rows(kept, "a")
    assert (wrong, header, table) == (1, ["where", "sure", "what is wrong", "text"], [["line 1", "0.50", "lacking: c", "x"]])
