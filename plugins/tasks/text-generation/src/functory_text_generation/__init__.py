"""The text generation task."""

from functory_text_generation.task import TextGeneration
from functory_text_generation.types import Prompt, ReferencedPrompt

__all__ = ["Prompt", "ReferencedPrompt", "TextGeneration"]
