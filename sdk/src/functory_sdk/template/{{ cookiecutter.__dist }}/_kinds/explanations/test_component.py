"""What every component of its kind owes, and what only this one does."""

from functory_sdk.testing import ExplanationSuite


class Test{{ cookiecutter.__class }}(ExplanationSuite):
    component = "{{ cookiecutter.__entry }}"
