"""The files of an adapter's folder: PEFT's two, and what a function has besides."""

from __future__ import annotations

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
"""PEFT's own names."""
HEAD, ABOUT, CARD = "head.safetensors", "functory.json", "README.md"
"""The task's head; what the function was: task, state, backbone; the model card."""
FILES = (CONFIG, WEIGHTS, HEAD, ABOUT, CARD)
ROOT = "base_model.model."
"""What PEFT puts before the name of every tensor."""
ADAPTER = "default"
"""PEFT's name of an adapter that was given none; a part of the names in memory, and of none in files."""
