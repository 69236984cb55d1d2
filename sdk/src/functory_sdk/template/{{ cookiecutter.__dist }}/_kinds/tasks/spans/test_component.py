"""What every component of its kind owes, and what only this one does."""

from typing import Any

from functory_sdk import Entities, Entity
from functory_sdk.testing import TaskSuite


class Test{{ cookiecutter.__class }}(TaskSuite):
    component = "{{ cookiecutter.__entry }}"
    examples = (
        {"text": "two eggs and a cup of milk", "entities": [[0, 3, "amount"], [4, 8, "food"], [22, 26, "food"]]},
        {"text": "some salt", "entities": [[5, 9, "food"]]},
        {"text": "serve at once", "entities": []},
    )

    def perfect(self, example: Any, state: Any) -> Entities:
        return Entities(entities=tuple(Entity(text="", score=1, **span.model_dump()) for span in example.entities))
