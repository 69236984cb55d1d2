"""What every component of its kind owes."""

from functory_sdk.testing import ExplanationSuite


class TestIntegratedGradients(ExplanationSuite):
    component = "integrated-gradients"


class TestGradientXInput(ExplanationSuite):
    component = "gradient-x-input"
