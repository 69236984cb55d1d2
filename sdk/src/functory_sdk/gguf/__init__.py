"""GGUF files of the Llama, Qwen and Gemma families: read, and converted into a model folder. No torch."""

from functory_sdk.gguf.convert import convert
from functory_sdk.gguf.file import Gguf

__all__ = ["Gguf", "convert"]
