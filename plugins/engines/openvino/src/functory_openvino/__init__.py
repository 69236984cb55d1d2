"""The OpenVINO engine."""

from functory_openvino.engine import OpenVINOEngine

__all__ = ["OpenVINOEngine"]
