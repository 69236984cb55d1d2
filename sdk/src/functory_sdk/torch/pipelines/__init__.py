"""Pipelines as transformers 4 had them, for `functory.compat`: opened as its ``pipeline`` did, on version 5's base class.

Apart from `functory_sdk.torch`, which does not import transformers' pipelines.
"""

from functory_sdk.torch.pipelines.opening import Wanted, opened
from functory_sdk.torch.pipelines.writing import Base, ReturnType, Sorted, TextToTextPipeline

__all__ = ["Base", "ReturnType", "Sorted", "TextToTextPipeline", "Wanted", "opened"]
