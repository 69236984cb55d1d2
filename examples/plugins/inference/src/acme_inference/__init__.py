"""A face of functory: functions that label texts, as clients of hosted inference services ask for them."""

from acme_inference.face import Inference

__all__ = ["Inference"]
