"""Functions in DuckDB: vectors, structs, NULL, errors, and the verb."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import functory
from functory.cli import main
from functory.contracts.task import Output
from functory_duckdb import register
from functory_duckdb.types import Kind, arrow, kind_of, named, value_of
from functory_sdk import Function, TooLong, UsageError
from functory_sdk.testing import CommandSuite, kit
from functory_sdk.testing.toy import rows

GOOD, BAD = "we saw the good film", "rain in the bad night"


class TestSQL(CommandSuite):
    component = "sql"
    arguments = ("select 1 as one, 'two' as two, null as none",)


@pytest.fixture(scope="module")
def toy() -> Iterator[Function]:
    """A function that says whether a text is good."""
    with kit():
        yield functory.build(task="toy", train=rows(48), backbone="tiny-encoder", adaptation="toy-head", report=False, name="toy")


@pytest.fixture
def connection(toy: Function) -> Iterator[Any]:
    """A connection that knows it."""
    with duckdb.connect() as made:
        register(made, toy)
        yield made


def test_an_output_is_a_struct_its_json_the_one_it_has_everywhere_and_null_gives_null(connection: Any, toy: Function) -> None:
    connection.execute("create table reviews as select * from (values (1, ?), (2, null), (3, ?)) as rows(id, text)", [GOOD, BAD])
    query = "select toy(text).label, toy(text).scores['yes'], toy(text) is null from reviews order by id"
    found = connection.execute(query).fetchall()
    assert [row[0] for row in found] == ["yes", None, "no"]
    assert found[0][1] == pytest.approx(toy(GOOD).scores["yes"], abs=1e-5)
    assert [row[2] for row in found] == [False, True, False]
    assert connection.execute("select toy_json(?), toy_json(null)", [GOOD]).fetchall() == [(toy(GOOD).json(), None)]


def test_rows_are_computed_a_vector_at_a_time_and_once_for_all_fields_of_a_call(
    connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = Function.map, []

    def mapped(self: Any, values: Any, **options: Any) -> Any:
        asked.append(len(values))
        return real(self, values, **options)

    monkeypatch.setattr(Function, "map", mapped)
    connection.execute("create table many as select 'the good film ' || i as text from range(3000) as rows(i)")
    query = "select count(toy(text).scores), list(distinct toy(text).label) from many"
    [(count, labels)] = connection.execute(query).fetchall()
    assert (count, set(labels) <= {"yes", "no"}) == (3000, True)
    assert sum(asked) == 3000
    assert max(asked) == 2048
    alike = "select count(toy(text).scores) from (select 'again' as text from range(5000))"
    assert connection.execute(alike).fetchall() == [(5000,)]
    assert asked[-1] == 1  # and all others are like it


def test_an_error_ends_the_query_and_names_the_value(connection: Any, toy: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Function, "map", refused)
    callee = register(connection, toy, "again")
    with pytest.raises(duckdb.Error, match="the text is too long"):
        connection.execute("select again('so long')").fetchall()
    assert callee.error is not None
    assert callee.error.where == "again('so long')"
    with pytest.raises(UsageError, match="no function 'again'"):
        register(connection, toy, "again")
    with pytest.raises(UsageError, match="no name in SQL"):
        register(connection, toy, "a b")
    register(connection, toy, "my-toy")
    with pytest.raises(duckdb.Error):
        connection.execute("select my_toy('a', 'b')")


def refused(*_: object, **__: object) -> Any:
    raise TooLong("the text is too long.", do="cut it.")


def test_fields_with_a_default_may_be_left_out_and_lists_are_lists() -> None:
    with kit():
        choose = functory.build(task="multiple-choice", backbone="tiny-decoder", adaptation="zero-shot", name="choose")
        with duckdb.connect() as connection:
            register(connection, choose)
            [(short, whole, same)] = connection.execute(
                "select choose('Which?', ['a', 'b']).choice, choose('Which?', ['a', 'b'], 'It is a.').choice, "
                "choose('Which?', ['a', 'b'], null).choice"
            ).fetchall()
        assert short == same == choose("Which?", ["a", "b"]).choice
        assert whole == choose("Which?", ["a", "b"], "It is a.").choice


SCHEMA = {
    "$defs": {"Part": {"type": "object", "properties": {"text": {"type": "string"}, "n": {"type": "integer"}}},
              "Tree": {"type": "object", "properties": {"below": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}}}},
    "type": "object",
    "properties": {
        "kind": {"enum": ["a", "b"]}, "maybe": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "either": {"anyOf": [{"type": "number"}, {"type": "string"}]},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
        "scores": {"type": "object", "additionalProperties": {"type": "number"}}, "free": {"type": "object"},
        "tree": {"$ref": "#/$defs/Tree"}, "is": {"type": "boolean"},
    },
}  # fmt: skip


def test_a_schema_becomes_types_and_what_has_none_is_json() -> None:
    import pyarrow as pa

    kind = kind_of(SCHEMA)
    assert named(kind) == (
        'STRUCT("kind" VARCHAR, "maybe" DOUBLE, "either" VARCHAR, "parts" STRUCT("text" VARCHAR, "n" BIGINT)[], '
        '"scores" MAP(VARCHAR, DOUBLE), "free" VARCHAR, "tree" STRUCT("below" VARCHAR[]), "is" BOOLEAN)'
    )
    parts = [{"text": "x", "n": 1}, {"text": "y"}]
    value = {"kind": "a", "either": 1.5, "parts": parts, "scores": {"p q": 0.5}, "free": {"z": [1]}}
    [back] = pa.array([value_of(value, kind)], type=arrow(kind)).to_pylist()
    assert back["parts"] == [{"text": "x", "n": 1}, {"text": "y", "n": None}]
    assert (back["either"], back["free"], back["scores"], back["is"]) == ("1.5", '{"z": [1]}', [("p q", 0.5)], None)
    assert kind_of({}) == Kind("json")


@pytest.mark.parametrize("task", ["ner", "ranking", "relation", "decision", "extract", "embedding", "question-answering"])
def test_the_outputs_of_the_tasks_have_types(task: str) -> None:
    from functory.plugins.registry import load

    output: type[Output] = load("tasks", task).Output
    kind = kind_of(output.model_json_schema())
    assert kind.name == "struct" or kind == Kind("json")
    with duckdb.connect() as connection:
        assert connection.execute(f"select null::{named(kind)}").fetchall() == [(None,)]


@pytest.fixture
def place(toy: Function, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the saved function and a file."""
    toy.save(tmp_path / "toy")
    (tmp_path / "reviews.csv").write_text(f"id,text\n1,{GOOD}\n2,{BAD}\n3,\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_verb_finds_functions_by_their_names_and_shows_rows(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = "select id, toy(text).label as mood, toy(text).label as mood from 'reviews.csv' order by id"
    assert main(["sql", query, "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found == [{"id": n, "mood": mood, "mood_2": mood} for n, mood in ((1, "yes"), (2, "no"), (3, None))]
    assert main(["sql", "select other(text).label as mood from 'reviews.csv' order by id", "-f", "other=./toy"]) == 0
    assert capsys.readouterr().out == "mood\nyes\nno\n\n"
    assert main(["sql", "copy (select id, toy(text) as mood from 'reviews.csv') to 'scored.parquet'"]) == 0
    assert duckdb.sql("select mood.label from 'scored.parquet' order by id").fetchall() == [("yes",), ("no",), (None,)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["select nothing(text) from 'reviews.csv'"], "nothing does not exist"),
        (["selec 1"], "syntax error"),
        (["select * from 'none.csv'"], "none.csv"),
        (["select 1", "--database", "none.duckdb"], "there is no database none.duckdb"),
        (["select toy(text) from 'reviews.csv'", "-f", "toy=./toy", "-f", "toy=./toy"], "two functions are called 'toy'"),
        (["select 'toy(1)' -- toy(2)"], ""),
    ],
)
def test_what_goes_wrong_is_told_without_a_traceback(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["sql", *arguments]) == (2 if said else 0)
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told


def test_an_error_of_a_function_is_its_own_in_the_shell(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    functory.load("toy")  # and its golden examples are replayed
    monkeypatch.setattr(Function, "map", refused)
    assert main(["sql", f"select toy('{BAD}')"]) == 2
    assert capsys.readouterr().err.startswith(f"TooLong: the text is too long.\n  where: toy('{BAD}')\n  do:    cut it.")
