"""What every component of its kind owes."""

from functory_sdk.testing import OptimizationSuite


class TestInt8(OptimizationSuite):
    component = "int8"
    options = {"probe_inputs": 16, "rounds": 1, "engines": ("onnxruntime",), "threads": (1,), "max_drop": 1.0}
