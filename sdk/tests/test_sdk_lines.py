"""What comes of each step's scores, whatever engine computed them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from functory.contracts.decoding import Decoding, Request
from functory_sdk.lines import Apart, Line, Search
from functory_sdk.lines.search import Beam, Course

VOCABULARY, END = 61, 3


class Told(Apart):
    """Scores that are told, whatever is read."""

    def __init__(self, *scores: Sequence[float]) -> None:
        self._scores = np.asarray(scores, np.float32)

    @property
    def scores(self) -> Any:
        return self._scores

    def go_on(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        raise AssertionError("a text by itself has one step here")


def test_a_close_call_is_decided_by_reading_the_text_alone_where_an_engine_has_a_way() -> None:
    read = list[Any]()

    def alone(request: Request, written: Sequence[int]) -> Apart:
        read.append((request.ids, list(written)))
        return Told([0.0, 0.0, 1.0])

    clear, close = ([1.0, 3.0, 2.0], [1.0, 1.0005, 0.0])
    found = [
        line.go_on(np.asarray([scores], np.float32), way).tokens[0]
        for line, scores, way in (
            (Line(Request((4,)), 0), clear, alone),
            (Line(Request((5, 6)), 1, tokens=[7]), close, alone),
            (Line(Request((5, 6)), 1, tokens=[7]), close, None),
        )
    ]
    assert found == [1, 2, 1]
    assert read == [((5, 6), [7])]


def test_a_penalty_on_repetition_is_for_what_stands_before_the_text_too() -> None:
    how = Decoding(repetition_penalty=100.0)
    scores = np.asarray([[5.0, 4.0, 3.0, 2.0]], np.float32)
    after_prompt, after_start = Line(Request((0, 1), how), 0), Line(Request((0, 1), how), 0, before=(2,))
    assert [line.go_on(scores).tokens[0] for line in (after_prompt, after_start)] == [2, 0]
    assert after_start.go_on(scores).tokens[0] == 1, "what it wrote itself is seen"


def test_what_a_rounding_could_decide_between_beams_is_told() -> None:
    request = Request((3,), Decoding(max_new_tokens=5, beams=2), frozenset({END}))

    def doubt(*likely: float, course: Any = None) -> float:
        scores = np.full((1, VOCABULARY), -30.0, np.float32)
        scores[0, [5, 6, 7, END]] = likely
        return Search(request, 0).further(course or Course([Beam()]), scores).doubt

    assert doubt(0.0, -1.0, -2.0, -9.0) == pytest.approx(1)
    assert doubt(0.0, -1.0, -1.00001, -9.0) < 1e-4  # which beam is kept
    assert doubt(0.0, -1.0, -3.0, -1.00001) < 1e-4  # whether an end is among the best
    assert doubt(0.0, -1e-5, -3.0, -9.0) == pytest.approx(3, abs=0.01)  # both are kept
    ended = [Beam((8,), (-1.0,), -1.0, "end", END), Beam((9,), (-2.0,), -2.0, "end", END)]
    course = Course([Beam((4,), (-4.0,), -4.0)], found=ended, length=1)
    assert doubt(0.0, -1.0, -2.0, -9.0, course=course) < 0.5  # whether there is hope
