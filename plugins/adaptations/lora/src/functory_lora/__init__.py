"""The LoRA adaptation, and its exchange with PEFT in both directions."""

from functory_lora.adaptation import LoRA, LoRAOptions
from functory_lora.adapter import Adapter, AdapterOptions
from functory_lora.packager import PEFT, PEFTOptions

__all__ = ["PEFT", "Adapter", "AdapterOptions", "LoRA", "LoRAOptions", "PEFTOptions"]
