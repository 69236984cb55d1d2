"""Gives an SQLite connection a function, which it calls row by row; what it gives is the output's JSON."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from functory_sdk import Function, UsageError
from functory_sdk.sql import JSON, Callee


def register(
    connection: sqlite3.Connection, function: Function, name: str = "", *, told: Callable[[int], object] = lambda count: None
) -> Callee:
    """Let a connection's queries call a function: ``select sentiment(text) ->> 'label' from reviews``. What it gives is JSON,
    under ``sentiment_json`` too, as other databases call it.

    SQLite tells of a function that failed no more than that; `connect` gives a connection that raises the function's error.

    :param name: what it is called; its own name when empty.
    :param told: told of each row that was answered.
    :return: what is called, which keeps the error of a query that failed.
    :raises UsageError: when its name is none for SQL.
    """
    callee = Callee(function, name, told=told)

    def computed(*row: Any) -> str | None:  # Any: what SQLite holds
        [output] = callee.outputs([row])
        return None if output is None else output.json()

    for called in (callee.name, f"{callee.name}{JSON}"):
        for count in range(len(callee.required), len(callee.fields) + 1):
            try:
                connection.create_function(called, count, computed, deterministic=True)
            except sqlite3.Error as error:
                raise UsageError(f"SQLite takes no function {called!r}: {error}.", do="give it another name.") from error
    return callee
