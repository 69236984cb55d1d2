"""Every task with labels settles them by the same rules: the toy, tasks that label, tasks that find spans."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, Field

from functory.measuring.evaluation import read_examples
from functory_sdk import DataError, Input, LabelOptions, LabelTask, SpanOptions, Spans, SpanTask, Task
from functory_sdk.testing.toy import ToyTask


class Line(Input):
    text: str = Field(description="A text.")


class Topical(Line):
    topic: str = Field(description="Its topic.")  # as plain a type as there is


class Marked(Line):
    entities: Spans = Field((), description="What it names.")


class Topic(LabelTask[LabelOptions]):
    Input: ClassVar = Line
    Example: ClassVar = Topical
    gold: ClassVar[str] = "topic"


class Marks(SpanTask[SpanOptions]):
    Input: ClassVar = Line
    Example: ClassVar = Marked


def rows(task: type[Task[Any]], *labels: str) -> list[dict[str, Any]]:
    """Return a row for each label, whatever field the task has it in."""
    if task is Marks:
        return [{"text": f"x{n}", "entities": [[0, 1, label]]} for n, label in enumerate(labels)]
    field = "topic" if task is Topic else "label"
    return [{"text": f"x{n}", field: label} for n, label in enumerate(labels)]


def labels_of(task: type[Task[Any]], *labels: str, **options: Any) -> list[str]:
    made = task.configure(options)
    found: list[BaseModel] = list(read_examples(made, None, rows(task, *labels)))
    return [label for example in found for label in made.labels(example)]


@pytest.mark.parametrize("task", [ToyTask, Topic, Marks])
def test_labels_are_settled_alike_by_every_task(task: type[Task[Any]]) -> None:
    assert labels_of(task, " yes", "no\t") == ["yes", "no"]
    for labels, told in ((("yes", "Yes"), "'Yes' .* and 'yes'"), (("yes", "None"), "say there is none: 'None'")):
        with pytest.raises(DataError, match=told):
            labels_of(task, *labels)
    assert labels_of(task, "yes", "Yes", "yes", alike="merge") == ["yes"] * 3
    assert labels_of(task, "yes", "Yes", alike="keep") == ["yes", "Yes"]
    assert labels_of(task, "yes", "None", missing="drop") == ["yes"]
    with pytest.raises(Exception, match="'a' is named 2 times"):
        task.configure({"labels": ["a", "b", "a"]})
