"""The bottleneck keeps the contract of adaptations."""

from functory_sdk.testing import AdaptationSuite


class TestBottleneck(AdaptationSuite):
    component = "bottleneck"
