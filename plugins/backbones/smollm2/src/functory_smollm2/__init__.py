"""The SmolLM2 backbone."""

from functory_smollm2.backbone import SmolLM2

__all__ = ["SmolLM2"]
