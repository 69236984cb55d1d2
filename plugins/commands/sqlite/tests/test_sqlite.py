"""Functions in SQLite: JSON, NULL, errors with their own words, and the verb."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.cli import main
from functory_sdk import Function, TooLong
from functory_sdk.testing import CommandSuite, kit
from functory_sdk.testing.toy import rows
from functory_sqlite import connect, register

GOOD, BAD = "we saw the good film", "rain in the bad night"


class TestSQLite(CommandSuite):
    component = "sqlite"


@pytest.fixture(scope="module")
def toy() -> Iterator[Function]:
    """A function that says whether a text is good."""
    with kit():
        yield functory.build(task="toy", train=rows(48), backbone="tiny-encoder", adaptation="toy-head", report=False, name="toy")


@pytest.fixture
def place(toy: Function, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the saved function and a database."""
    toy.save(tmp_path / "toy")
    with closing(sqlite3.connect(tmp_path / "reviews.db")) as made, made:
        made.execute("create table reviews (id, text, mood)")
        made.executemany("insert into reviews values (?, ?, null)", [(1, GOOD), (2, BAD), (3, None)])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_output_is_its_json_computed_once_for_all_that_is_asked_of_it_and_null_gives_null(
    toy: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = Function.map, []

    def mapped(self: Any, values: Any, **options: Any) -> Any:
        asked.append(len(values))
        return real(self, values, **options)

    with closing(connect(":memory:", sentiment=toy)) as connection:
        query = "select sentiment(?1), sentiment_json(?1), sentiment(null)"
        assert connection.execute(query, (GOOD,)).fetchall() == [(toy(GOOD).json(), toy(GOOD).json(), None)]
        monkeypatch.setattr(Function, "map", mapped)
        [(label, score)] = connection.execute("select sentiment(?1) ->> 'label', sentiment(?1) ->> '$.scores.no'", (BAD,))
    assert asked == [1]
    assert (label, round(score, 5)) == ("no", round(toy(BAD).scores["no"], 5))


def test_lists_are_json_and_fields_with_a_default_may_be_left_out() -> None:
    with kit():
        choose = functory.build(task="multiple-choice", backbone="tiny-decoder", adaptation="zero-shot", name="choose")
        with closing(connect(":memory:", choose=choose)) as connection:
            query = "select choose('Which?', ?1) ->> 'choice', choose('Which?', ?1, 'It is a.') ->> 'choice'"
            wanted = (choose("Which?", ["a", "b"]).choice, choose("Which?", ["a", "b"], "It is a.").choice)
            assert connection.execute(query, ('["a", "b"]',)).fetchone() == wanted


def refused(*_: object, **__: object) -> Any:
    raise TooLong("the text is too long.", do="cut it.")


def test_a_connection_raises_the_functions_own_error_and_any_other_keeps_it(
    toy: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Function, "map", refused)
    with closing(connect(":memory:", sentiment=toy)) as connection:
        with pytest.raises(TooLong, match="too long") as caught:
            connection.execute("select sentiment('so long')").fetchall()
        assert caught.value.where == "sentiment('so long')"
        with pytest.raises(sqlite3.OperationalError, match="no such function"):  # the database's own stays its own
            connection.execute("select nobody(1)")
    with closing(sqlite3.connect(":memory:")) as plain:
        callee = register(plain, toy)
        with pytest.raises(sqlite3.OperationalError):
            plain.execute("select toy('so long')").fetchall()
        assert isinstance(callee.error, TooLong)


def test_the_verb_shows_rows_and_keeps_what_a_query_changes_whole_or_not_at_all(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["sqlite", "reviews.db", "select id, toy(text) ->> 'label' as mood from reviews", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found == [{"id": 1, "mood": "yes"}, {"id": 2, "mood": "no"}, {"id": 3, "mood": None}]
    assert main(["sqlite", "reviews.db", "update reviews set mood = toy(text) ->> 'label' where id < 2"]) == 0
    real, left = Function.map, [1]

    def mapped(self: Any, values: Any, **options: Any) -> Any:
        left[0] -= 1
        return real(self, values, **options) if left[0] >= 0 else refused()

    monkeypatch.setattr(Function, "map", mapped)
    assert main(["sqlite", "reviews.db", "update reviews set mood = toy(text) ->> 'score'"]) == 2
    assert f"TooLong: the text is too long.\n  where: toy('{BAD}')" in capsys.readouterr().err
    with closing(sqlite3.connect("reviews.db")) as made:
        assert made.execute("select mood from reviews").fetchall() == [("yes",), (None,), (None,)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.db", "select 1"], "there is no database none.db"),
        (["reviews.db", "selec 1"], "syntax error"),
        (["reviews.db", "select toy('a', 'b')"], "wrong number of arguments"),
        (["toy/function.json", "select 1 from a"], "file is not a database"),
    ],
)
def test_what_goes_wrong_is_told_without_a_traceback(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["sqlite", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
