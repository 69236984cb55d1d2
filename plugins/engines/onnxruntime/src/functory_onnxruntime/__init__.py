"""The ONNX Runtime engine."""

from functory_onnxruntime.engine import ONNXRuntimeEngine

__all__ = ["ONNXRuntimeEngine"]
