"""The TensorBoard tracker."""

from functory_tensorboard.hooks import TensorBoard

__all__ = ["TensorBoard"]
