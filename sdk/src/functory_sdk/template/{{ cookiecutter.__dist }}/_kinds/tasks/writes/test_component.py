"""What every component of its kind owes, and what only this one does."""

from typing import Any

from functory_sdk import Written
from functory_sdk.testing import TaskSuite


class Test{{ cookiecutter.__class }}(TaskSuite):
    component = "{{ cookiecutter.__entry }}"
    backbones = ("tiny-decoder",)
    options = {"max_new_tokens": 6}

    def perfect(self, example: Any, state: Any) -> Written:
        return Written(text=example.reference, tokens=1, finish="end")
