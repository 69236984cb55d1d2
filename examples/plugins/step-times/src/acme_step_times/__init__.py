"""A hook plugin that times the steps."""

from acme_step_times.hooks import StepTimes

__all__ = ["StepTimes"]
