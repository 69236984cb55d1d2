"""What every component of its kind owes, and what only this one does."""

from functory_sdk.testing import ReaderSuite


class Test{{ cookiecutter.__class }}(ReaderSuite):
    component = "{{ cookiecutter.__entry }}"
    file_name = "parcels.{{ cookiecutter.__entry }}"
    content = b"delivery|The parcel came a day early.\nprice|Good value.\n"
    rows = (
        {"label": "delivery", "text": "The parcel came a day early."},
        {"label": "price", "text": "Good value."},
    )
