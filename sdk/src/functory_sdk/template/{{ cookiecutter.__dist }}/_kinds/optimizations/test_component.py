"""What every component of its kind owes, and what only this one does."""

from functory_sdk.testing import OptimizationSuite


class Test{{ cookiecutter.__class }}(OptimizationSuite):
    component = "{{ cookiecutter.__entry }}"
