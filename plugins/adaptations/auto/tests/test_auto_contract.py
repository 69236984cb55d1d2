"""The adaptation keeps its contract."""

from functory_sdk.testing import AdaptationSuite


class TestAuto(AdaptationSuite):
    component = "auto"
