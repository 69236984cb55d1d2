from __future__ import annotations

from typing import Any

from functory_sdk import Entities, Entity
from functory_sdk.testing import TaskSuite


class TestNER(TaskSuite):
    component = "ner"
    examples = (
        {"text": "we saw Ann in Rome", "entities": [{"start": 7, "end": 10, "label": "PER"}, [14, 18, "LOC"]]},
        {"tokens": ["Bob", "was", "in", "New", "York"], "tags": ["B-PER", "O", "O", "B-LOC", "I-LOC"]},
        {"tokens": list("王明在北京。"), "tags": ["B-PER", "I-PER", "O", "B-LOC", "I-LOC", "O"]},
        {"text": "the rain was fine and the night was good", "entities": []},
    )

    def perfect(self, example: Any, state: Any) -> Any:
        return Entities(entities=tuple(Entity(text="", score=1, **span.model_dump()) for span in example.entities))
