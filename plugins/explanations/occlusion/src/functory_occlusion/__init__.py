"""The occlusion explanation."""

from functory_occlusion.explanation import Occlusion, OcclusionOptions

__all__ = ["Occlusion", "OcclusionOptions"]
