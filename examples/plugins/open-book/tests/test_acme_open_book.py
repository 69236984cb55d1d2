"""The open book keeps the contract of tasks, and quotes the surest answer of the passages that are read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from acme_open_book import OpenBook
from acme_open_book.task import Quoted
from functory_sdk.testing import TaskSuite

PASSAGES = ("it was good", "we saw the film", "the film was long")


class TestOpenBook(TaskSuite):
    component = "open-book"
    examples = (
        {"question": "what was long", "passages": PASSAGES, "answers": ["the film", "film"]},
        {"question": "who was it", "passages": PASSAGES, "answers": []},
    )

    def perfect(self, example: Any, state: Any) -> Quoted:
        return Quoted(answer=example.answers[0] if example.answers else None, score=1)


def ranked(query: dict[str, Any]) -> Any:
    """The last passage is the most relevant."""
    places = range(len(query["candidates"]))
    return SimpleNamespace(items=[SimpleNamespace(index=place, text=query["candidates"][place]) for place in reversed(places)])


def answered(asked: dict[str, Any]) -> Any:
    """A film is the answer wherever one is named; the shorter its passage the surer."""
    start = asked["context"].find("film")
    found = {"answer": "film", "start": start, "end": start + 4} if start >= 0 else {"answer": None, "start": None, "end": None}
    return SimpleNamespace(**found, score=1 / len(asked["context"]), notes=("read",))


PARTS = {
    "passages": SimpleNamespace(map=lambda queries, progress: map(ranked, queries)),
    "answers": SimpleNamespace(map=lambda asked, progress: map(answered, asked)),
}


def quoted(*passages: str, read: int = 2) -> Quoted:
    task = OpenBook.configure({"read": read})
    return task.compose(PARTS, [task.Input(question="what", passages=passages)])[0]


def test_the_surest_answer_of_the_passages_that_are_read_is_quoted_with_its_place() -> None:
    found = quoted(*PASSAGES)
    assert (found.answer, found.passage, found.start, found.end, found.notes) == ("film", 1, 11, 15, ("read",))
    assert quoted(*PASSAGES, read=1).passage == 2
    assert quoted(*PASSAGES[::-1], read=1).answer is None
    assert quoted().answer is None


def test_an_answer_is_explained_under_its_own_name_so_that_another_one_is_nothing_of_it() -> None:
    task = OpenBook()
    assert task.explained(quoted(*PASSAGES)) == {"film": quoted(*PASSAGES).score}
    assert task.explained(quoted()) == {"no answer": 1.0}


def test_an_answer_is_right_where_it_is_one_of_those_that_a_row_has_and_none_where_it_has_none() -> None:
    task = OpenBook()
    rows = [task.Example(question="what", passages=PASSAGES, answers=answers) for answers in (["the film", "film"], [], ["it"])]
    right = task.scorer([quoted(*PASSAGES), quoted(), quoted(*PASSAGES)], rows, task.learn([]))
    assert [right([place])["accuracy"] for place in range(3)] == [1.0, 1.0, 0.0]
    assert right([0, 1])["accuracy"] == 1
