from __future__ import annotations

from functory_sdk.testing import TaskSuite

PAIRS = (
    ("good film", "bad film", 3.5),
    ("we saw it", "we saw", 4.0),
    ("a poor book", "the book", 2.5),
    ("the day", "a film", 1.0),
)


class TestBothOrders(TaskSuite):
    component = "similarity"
    examples = tuple({"first": first, "second": second, "score": score} for first, second, score in PAIRS)


class TestOneOrder(TestBothOrders):
    options = {"symmetric": False}
