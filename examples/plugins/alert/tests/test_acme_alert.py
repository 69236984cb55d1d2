"""The alert task keeps the contract of tasks."""

from functory_sdk.testing import TaskSuite


class TestAlert(TaskSuite):
    component = "alert"
