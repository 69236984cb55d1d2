"""What every component of its kind owes."""

from functory_sdk.testing import ExplanationSuite


class TestOcclusion(ExplanationSuite):
    component = "occlusion"
