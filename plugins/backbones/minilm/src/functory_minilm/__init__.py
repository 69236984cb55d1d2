"""The MiniLM backbone."""

from functory_minilm.backbone import MiniLM, MiniLMOptions

__all__ = ["MiniLM", "MiniLMOptions"]
