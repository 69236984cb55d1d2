"""The text generation task."""

from functory_text_generation.task import TextGeneration
from functory_text_generation.types import Generation, GenerationOptions, Prompt, ReferencedPrompt

__all__ = ["Generation", "GenerationOptions", "Prompt", "ReferencedPrompt", "TextGeneration"]
