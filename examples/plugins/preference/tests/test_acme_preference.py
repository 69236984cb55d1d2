"""The preference task keeps the contract of tasks."""

from functory_sdk.testing import TaskSuite


class TestPreference(TaskSuite):
    component = "preference"
