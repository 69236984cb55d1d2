"""Model files as llama.cpp keeps them, as backbones."""

from functory_gguf.backbone import GgufModel, GgufOptions

__all__ = ["GgufModel", "GgufOptions"]
