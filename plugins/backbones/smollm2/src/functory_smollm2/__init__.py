"""The SmolLM2 backbone."""

from functory_smollm2.backbone import SmolLM2, SmolLM2Options

__all__ = ["SmolLM2", "SmolLM2Options"]
