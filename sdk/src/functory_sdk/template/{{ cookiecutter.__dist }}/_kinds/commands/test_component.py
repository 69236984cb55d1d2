"""What every component of its kind owes, and what only this one does."""

from functory_sdk.testing import CommandSuite


class Test{{ cookiecutter.__class }}(CommandSuite):
    component = "{{ cookiecutter.__entry }}"
    arguments = ("one two three",)
