"""What every component of its kind owes."""

from functory_sdk.testing import HookSuite


class TestEvaluationCache(HookSuite):
    component = "evaluation-cache"
