"""``functory sqlite``: a query of SQLite that calls functions."""

from __future__ import annotations

import sqlite3
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from functory_sdk import Command, Progress, UsageError, progress
from functory_sdk.results import show_rows
from functory_sdk.sql import add_functions, opened
from functory_sqlite.connecting import Connection, connect

AT_ONCE = 64
"""Rows of a result that are fetched at once; each is computed when it is."""


class SQLite(Command):
    """Run a query of SQLite that calls functions."""

    help = "run a query of SQLite that calls functions"
    example = (
        "functory sqlite reviews.db \"select id, sentiment(text) ->> 'label' from reviews\"\n"
        "functory sqlite reviews.db \"update reviews set topic = topic(text) ->> 'label'\" --function topic=./models/topics"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("database", type=Path, help="a database of SQLite")
        parser.add_argument("query", help="what is asked, in SQLite's SQL; what it changes is kept when all of it went well")
        add_functions(parser)

    def run(self, args: Namespace) -> int:
        if not args.database.is_file():
            raise UsageError(f"there is no database {args.database}.", do="name a file of SQLite.")
        try:
            bar: Progress[None] = progress(None, "sqlite")
            with closing(connect(str(args.database))) as connection, bar:
                own = {name.lower() for name, *_ in connection.execute("pragma function_list")}
                for name, function in opened(args.query, args.function, own.__contains__).items():
                    connection.register(function, name, told=bar.advance)
                self._show(connection, args)
        except sqlite3.Error as error:
            do = "look at the query; a function of yours is called by its folder's name, or by --function NAME=FOLDER."
            raise UsageError(f"{error}.", where=str(args.database), do=do) from error
        return 0

    def _show(self, connection: Connection, args: Namespace) -> None:
        with connection:  # what the query changes is kept whole, or not at all
            found = connection.execute(args.query)
            columns = [str(column[0]) for column in found.description or ()]
            if columns:
                show_rows(columns, _rows(found), as_json=args.json)


def _rows(cursor: Any) -> Iterator[list[Any]]:  # Any: a row's values
    while rows := cursor.fetchmany(AT_ONCE):
        yield rows


COMMAND = SQLite()
