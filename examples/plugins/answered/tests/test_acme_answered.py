"""The answered task keeps the contract of tasks."""

from functory_sdk.testing import TaskSuite


class TestAnswered(TaskSuite):
    component = "answered"
