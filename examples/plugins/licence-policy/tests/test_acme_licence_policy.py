"""What every component of its kind owes."""

from functory_sdk.testing import HookSuite


class TestLicencePolicy(HookSuite):
    component = "licence-policy"
    refuses = True
