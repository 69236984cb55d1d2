"""The Hugging Face backbone: model folders and hub ids."""

from functory_huggingface.backbone import HuggingFace, HuggingFaceOptions

__all__ = ["HuggingFace", "HuggingFaceOptions"]
