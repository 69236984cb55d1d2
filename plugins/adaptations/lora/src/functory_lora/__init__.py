"""The LoRA adaptation, and its exchange with PEFT."""

from functory_lora.adaptation import LoRA, LoRAOptions
from functory_lora.packager import PEFT, PEFTOptions

__all__ = ["PEFT", "LoRA", "LoRAOptions", "PEFTOptions"]
