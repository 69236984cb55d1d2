"""What every component of its kind owes."""

from functory_sdk.testing import PackagerSuite


class TestWheel(PackagerSuite):
    component = "wheel"
