"""What every component of its kind owes."""

from functory_sdk.testing import EngineSuite


class TestONNXRuntime(EngineSuite):
    component = "onnxruntime"
