"""What a task owes: honest rows, labels where labels belong, outputs that no batch and no thread changes, fair metrics."""

from __future__ import annotations

from functory_sdk.testing.tasks.answers import AnswerChecks
from functory_sdk.testing.tasks.learning import LearningChecks
from functory_sdk.testing.tasks.measuring import MeasuringChecks
from functory_sdk.testing.tasks.rows import RowChecks
from functory_sdk.testing.tasks.types import TypeChecks
from functory_sdk.testing.tasks.writing import WritingChecks


class TaskSuite(TypeChecks, RowChecks, AnswerChecks, LearningChecks, MeasuringChecks, WritingChecks):
    """Inherit it, and name the task in `component`.

    The task is put to tiny backbones, with an untrained head, in every way that it supports. Where its examples have
    other fields than texts, numbers and names, `examples` must be given; where its `baseline` on a single example is
    not the right answer, `perfect` must be overridden.
    """
