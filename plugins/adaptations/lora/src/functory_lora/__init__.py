"""The LoRA adaptation."""

from functory_lora.adaptation import LoRA, LoRAOptions

__all__ = ["LoRA", "LoRAOptions"]
