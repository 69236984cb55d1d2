"""What every component of its kind owes, and what only this one does."""

from functory_sdk.testing import SampleSuite


class Test{{ cookiecutter.__class }}(SampleSuite):
    component = "{{ cookiecutter.__entry }}"
