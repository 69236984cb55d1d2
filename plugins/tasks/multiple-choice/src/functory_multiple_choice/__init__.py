"""The multiple choice task."""

from functory_multiple_choice.task import MultipleChoice
from functory_multiple_choice.types import AnsweredQuestion, Choice, Question

__all__ = ["AnsweredQuestion", "Choice", "MultipleChoice", "Question"]
