"""The dialogue task."""

from functory_dialogue.task import Dialogue
from functory_dialogue.types import Conversation, DialogueOptions, Replied

__all__ = ["Conversation", "Dialogue", "DialogueOptions", "Replied"]
