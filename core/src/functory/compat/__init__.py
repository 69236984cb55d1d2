"""What programs written for transformers 4 import in its place."""

from functory.compat.pipelines import pipeline

__all__ = ["pipeline"]
