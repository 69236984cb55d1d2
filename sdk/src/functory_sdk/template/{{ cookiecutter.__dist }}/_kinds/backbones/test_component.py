"""What every component of its kind owes, and what only this one does."""

from functory_sdk.testing import BackboneSuite


class Test{{ cookiecutter.__class }}(BackboneSuite):
    component = "{{ cookiecutter.__entry }}"
