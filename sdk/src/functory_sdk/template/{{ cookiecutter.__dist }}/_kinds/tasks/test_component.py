"""What every component of its kind owes, and what only this one does."""

from typing import Any

from functory_sdk.testing import TaskSuite

from {{ cookiecutter.__package }}.component import Rating


class Test{{ cookiecutter.__class }}(TaskSuite):
    component = "{{ cookiecutter.__entry }}"
    examples = (
        {"text": "good", "rating": 5.0},
        {"text": "quite good, and a fine day", "rating": 4.0},
        {"text": "the rain was bad", "rating": 1.5},
        {"text": "poor", "rating": 1.0},
    )

    def perfect(self, example: Any, state: Any) -> Rating:
        return Rating(rating=example.rating)
