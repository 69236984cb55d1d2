"""A connection that raises a function's own error, with what, where and what to do: SQLite says only that a function failed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from functory_sdk import Function
from functory_sdk.sql import Callee
from functory_sqlite.registering import register


class Connection(sqlite3.Connection):
    """A connection whose queries call functions.

    :ivar callees: what they call.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.callees: list[Callee] = []

    def register(self, function: Function, name: str = "", *, told: Callable[[int], object] = lambda count: None) -> None:
        """Let queries call a function, as `functory_sqlite.register` does.

        :raises UsageError: when its name is none for SQL.
        """
        self.callees.append(register(self, function, name, told=told))

    def cursor(self, factory: Any = None) -> Any:  # Any: as sqlite3 types it
        """Return a cursor whose steps raise the functions' errors."""
        return super().cursor(factory or _Cursor)

    def execute(self, *args: Any) -> Any:  # Any: as above
        """Run a query; as sqlite3's own, which would take another cursor."""
        return self.cursor().execute(*args)

    def executemany(self, *args: Any) -> Any:  # Any: as above
        """Run a query for each of several rows of values."""
        return self.cursor().executemany(*args)


class _Cursor(sqlite3.Cursor):
    """A cursor of such a connection. SQLite computes while it is stepped: each step may raise."""

    def execute(self, *args: Any) -> Self:
        with self._told():
            return super().execute(*args)

    def executemany(self, *args: Any) -> Self:
        with self._told():
            return super().executemany(*args)

    def __next__(self) -> Any:
        with self._told():
            return super().__next__()

    def fetchone(self) -> Any:
        with self._told():
            return super().fetchone()

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        with self._told():
            return super().fetchmany(size)

    def fetchall(self) -> list[Any]:
        with self._told():
            return super().fetchall()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raise the error of the function that failed in the place of SQLite's."""
        callees: Iterable[Callee] = getattr(self.connection, "callees", ())
        for callee in callees:
            callee.error = None
        try:
            yield
        except sqlite3.Error as error:
            raise next((one.error for one in callees if one.error), None) or error from None


def connect(database: str, /, **functions: Function) -> Connection:
    """Open a database whose queries call functions: ``connect("reviews.db", sentiment=fn)``.

    :param functions: by the names that they are called in SQL.
    :raises UsageError: when a name is none for SQL.
    """
    made = sqlite3.connect(database, factory=Connection)
    for name, function in functions.items():
        made.register(function, name)
    return made
