"""The text classification task."""

from functory_text_classification.task import TextClassification
from functory_text_classification.types import LabelledText, Text

__all__ = ["LabelledText", "Text", "TextClassification"]
