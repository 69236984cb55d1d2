"""What every component of its kind owes, and what only this one does."""

from collections.abc import Mapping
from typing import Any

from functory_sdk.testing import FaceSuite, Question


class Test{{ cookiecutter.__class }}(FaceSuite):
    component = "{{ cookiecutter.__entry }}"

    def question(self, name: str, value: Mapping[str, Any]) -> Question:
        return Question.of("/{{ cookiecutter.__entry }}", {"function": name, "input": dict(value)})
