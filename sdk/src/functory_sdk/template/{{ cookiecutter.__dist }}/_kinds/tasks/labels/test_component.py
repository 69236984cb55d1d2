"""What every component of its kind owes, and what only this one does."""

from functory_sdk.testing import TaskSuite


class Test{{ cookiecutter.__class }}(TaskSuite):
    component = "{{ cookiecutter.__entry }}"
