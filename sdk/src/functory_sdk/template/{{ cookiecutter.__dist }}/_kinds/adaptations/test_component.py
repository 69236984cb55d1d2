"""What every component of its kind owes, and what only this one does."""

from functory_sdk.testing import AdaptationSuite


class Test{{ cookiecutter.__class }}(AdaptationSuite):
    component = "{{ cookiecutter.__entry }}"
