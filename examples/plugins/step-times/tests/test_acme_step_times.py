"""What every component of its kind owes."""

from functory_sdk.testing import HookSuite


class TestStepTimes(HookSuite):
    component = "step-times"
