"""The Hugging Face backbone, model folders and hub ids; and the adaptation that keeps a checkpoint's own classifier."""

from functory_huggingface.backbone import HuggingFace, HuggingFaceOptions
from functory_huggingface.fine_tuned import FineTuned, FineTunedOptions

__all__ = ["FineTuned", "FineTunedOptions", "HuggingFace", "HuggingFaceOptions"]
