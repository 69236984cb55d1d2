"""The text-to-text task."""

from functory_text_to_text.task import TextToText
from functory_text_to_text.types import Answered, Instructed, InstructOptions

__all__ = ["Answered", "InstructOptions", "Instructed", "TextToText"]
