"""Gradient explanations."""

from functory_gradients.explanation import GradientOptions, GradientXInput, IntegratedGradients, IntegratedOptions

__all__ = ["GradientOptions", "GradientXInput", "IntegratedGradients", "IntegratedOptions"]
