"""The adaptation keeps its contract."""

from functory_sdk.testing import AdaptationSuite


class TestFull(AdaptationSuite):
    component = "full"
    options = {"learning_rate": 1e-3}
