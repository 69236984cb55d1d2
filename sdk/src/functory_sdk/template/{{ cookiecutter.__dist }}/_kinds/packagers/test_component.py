"""What every component of its kind owes, and what only this one does."""

from functory_sdk.testing import PackagerSuite


class Test{{ cookiecutter.__class }}(PackagerSuite):
    component = "{{ cookiecutter.__entry }}"
