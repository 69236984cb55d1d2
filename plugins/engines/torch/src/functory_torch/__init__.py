"""The PyTorch engine."""

from functory_torch.engine import TorchEngine

__all__ = ["TorchEngine"]
