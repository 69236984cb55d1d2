"""Names: what pip and Python can use passes, everything else is refused before anything is written."""

from __future__ import annotations

import pytest

from functory_sdk import UsageError
from functory_wheel.names import Names, check_free, names_of


def test_one_name_gives_those_of_the_distribution_the_package_and_the_class() -> None:
    names = names_of("My_Sentiment.v2", "1.0")
    assert names == Names("my-sentiment-v2", "my_sentiment_v2", "1.0")
    assert (names.kind, names.file) == ("MySentimentV2", "my_sentiment_v2-1.0-py3-none-any.whl")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "cannot be a distribution's name"),
        ("my sentiment", "cannot be a distribution's name"),
        ("../evil", "cannot be a distribution's name"),
        ("情感", "cannot be a distribution's name"),
        ("2nd", "no Python name"),
        ("class", "a word of the Python language"),
        ("json", "Python's standard library"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        names_of(name, "0.1.0")
    assert "--name" in caught.value.do


def test_a_version_that_pip_does_not_know_is_refused() -> None:
    with pytest.raises(UsageError, match="'latest' is none that pip knows"):
        names_of("my-sentiment", "latest")


def test_the_name_of_an_installed_distribution_is_refused() -> None:
    with pytest.raises(UsageError, match="'pydantic' is the name of an installed distribution"):
        check_free(names_of("pydantic", "0.1.0"))


def test_an_import_name_that_another_distribution_has_is_refused() -> None:
    with pytest.raises(UsageError, match="'pytest' belongs to the installed distribution pytest"):
        check_free(Names("a-new-name", "pytest", "0.1.0"))
