"""What every component of its kind owes."""

from functory_sdk.testing import HookSuite


class TestTensorBoard(HookSuite):
    component = "tensorboard"
