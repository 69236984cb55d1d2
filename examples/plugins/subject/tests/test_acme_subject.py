"""The task keeps the contract of tasks."""

from typing import Any

from functory_sdk import Written
from functory_sdk.testing import TaskSuite


class TestSubject(TaskSuite):
    component = "subject"
    backbones = ("tiny-decoder",)
    options = {"max_new_tokens": 6}

    def perfect(self, example: Any, state: Any) -> Written:
        return Written(text=example.reference, tokens=1, finish="end")
