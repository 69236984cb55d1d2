"""The adaptation keeps its contract."""

from functory_sdk.testing import AdaptationSuite


class TestContrastive(AdaptationSuite):
    component = "contrastive"
