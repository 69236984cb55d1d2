"""What every component of its kind owes, and what only this one does."""

from functory_sdk.testing import EngineSuite


class Test{{ cookiecutter.__class }}(EngineSuite):
    component = "{{ cookiecutter.__entry }}"
