"""The text classification task."""

from functory_text_classification.task import TextClassification
from functory_text_classification.types import Classification, LabelledText, Text

__all__ = ["Classification", "LabelledText", "Text", "TextClassification"]
