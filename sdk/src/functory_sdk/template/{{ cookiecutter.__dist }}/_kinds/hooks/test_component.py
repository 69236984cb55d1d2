"""What every component of its kind owes, and what only this one does."""

from functory_sdk.testing import HookSuite


class Test{{ cookiecutter.__class }}(HookSuite):
    component = "{{ cookiecutter.__entry }}"
