"""The engine keeps its contract."""

from functory_sdk.testing import EngineSuite


class TestTorch(EngineSuite):
    component = "torch"
