"""Gives a DuckDB connection a function: a vector of rows is computed at once, and comes back as structs."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

from functory_duckdb.types import Kind, arrow, kind_of, named, value_of
from functory_sdk import Function, UsageError
from functory_sdk.sql import JSON, Callee

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WHOLE = "_of_all_fields"
"""What the name of the function ends with that takes all fields, where a call may leave some out."""


def register(
    connection: DuckDBPyConnection, function: Function, name: str = "", *, told: Callable[[int], object] = lambda count: None
) -> Callee:
    """Let a connection's queries call a function: ``select sentiment(text).label from 'reviews.parquet'``, and
    ``sentiment_json(text)`` for its JSON.

    :param name: what it is called; its own name when empty.
    :param told: told how many rows of each vector were answered.
    :return: what is called, which keeps the error of a query that failed.
    :raises UsageError: when its name is none for SQL, or is taken.
    """
    callee = Callee(function, name, told=told)
    kind = kind_of(function.signature["output"])

    def structs(outputs: list[Any]) -> list[Any]:  # Any: a task's own outputs, and plain data
        return [None if one is None else value_of(one.model_dump(mode="json"), kind) for one in outputs]

    def texts(outputs: list[Any]) -> list[Any]:  # Any: as above
        return [None if one is None else one.json() for one in outputs]

    _create(connection, callee, callee.name, structs, kind)
    _create(connection, callee, f"{callee.name}{JSON}", texts, Kind("text"))
    return callee


def _create(connection: Any, callee: Callee, name: str, told: Callable[[list[Any]], list[Any]], kind: Kind) -> None:
    """Create a function, and where a call may leave fields out, what fills them up. Any: DuckDB, outputs, plain data."""
    import duckdb
    import pyarrow as pa

    returned = arrow(kind)

    def computed(*columns: Any) -> Any:  # Any: arrays of Arrow
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        return pa.array(told(callee.outputs(rows)), type=returned)

    # DuckDB counts the parameters of what it calls
    parameters = [Parameter(field, Parameter.POSITIONAL_ONLY) for field in callee.fields]
    computed.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    takes = ["VARCHAR[]" if field in callee.lists else "VARCHAR" for field in callee.fields]
    whole = f"{name}{WHOLE}" if callee.optional else name
    try:
        connection.create_function(whole, computed, takes, named(kind), type="arrow", null_handling="special")
    except duckdb.Error as error:
        do = "give it another name: register(connection, fn, name='…'), or --function NAME=FOLDER."
        raise UsageError(f"DuckDB takes no function {whole!r}: {error}", do=do) from error
    if callee.optional:
        connection.execute(f"CREATE OR REPLACE TEMP MACRO {name}{', '.join(_filled(callee, whole))}")


def _filled(callee: Callee, whole: str) -> list[str]:
    """Return how each number of arguments becomes a call with all of them."""
    arguments = [f"a{n}" for n in range(len(callee.fields))]
    least = len(callee.required)
    return [
        f"({', '.join(arguments[:count])}) AS {whole}({', '.join([*arguments[:count], *['NULL'] * (len(arguments) - count)])})"
        for count in range(least, len(arguments) + 1)
    ]
