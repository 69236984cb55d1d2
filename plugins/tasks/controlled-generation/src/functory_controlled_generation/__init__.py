"""The controlled generation task."""

from functory_controlled_generation.task import ControlledGeneration
from functory_controlled_generation.types import Asked, Controlled, ControlledOptions, ReferencedAsked

__all__ = ["Asked", "Controlled", "ControlledGeneration", "ControlledOptions", "ReferencedAsked"]
