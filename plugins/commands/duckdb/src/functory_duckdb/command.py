"""``functory sql``: a query of DuckDB that calls functions."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory_sdk import Command, Progress, UsageError, progress
from functory_sdk.results import show_rows
from functory_sdk.sql import add_functions, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_ONCE = 1024
"""Rows of a result that are fetched at once."""


class SQL(Command):
    """Run a query that calls functions."""

    help = "run a query of DuckDB that calls functions, over files and tables"
    example = (
        "functory sql \"select sentiment(text).label, count(*) from 'reviews.parquet' group by all\"\n"
        "functory sql \"copy (select *, topic(text) as topic from 'a.csv') to 'b.parquet'\" --function topic=./models/topics"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("query", help="what is asked, in DuckDB's SQL; files are tables by their names in quotes")
        add_functions(parser)
        parser.add_argument("--database", type=Path, metavar="FILE", help="a database of DuckDB; one in memory when not given")

    def run(self, args: Namespace) -> int:
        import duckdb

        from functory_duckdb.registering import register

        if args.database and not args.database.is_file():
            raise UsageError(f"there is no database {args.database}.", do="name a file of DuckDB, or leave --database out.")
        callees = []
        try:
            bar: Progress[None] = progress(None, "sql")
            with duckdb.connect(str(args.database or ":memory:")) as connection, bar:
                own = {name for (name,) in connection.execute("select function_name from duckdb_functions()").fetchall()}
                functions = opened(args.query, args.function, own.__contains__)
                callees = [register(connection, one, name, told=bar.advance) for name, one in functions.items()]
                connection.execute(args.query)
                columns = [str(column[0]) for column in connection.description or ()]
                show_rows(columns, _rows(connection), as_json=args.json)
        except duckdb.Error as error:
            raise next((one.error for one in callees if one.error), None) or _refused(error) from error
        return 0


def _rows(connection: Any) -> Iterator[list[tuple[Any, ...]]]:  # Any: DuckDB has no types
    while rows := connection.fetchmany(AT_ONCE):
        yield rows


def _refused(error: Exception) -> UsageError:
    """Return DuckDB's error as one of ours."""
    what = str(error).strip()
    do = "look at the query; a function of yours is called by its folder's name, or by --function NAME=FOLDER."
    return UsageError(what if what.endswith((".", "!", "?")) else f"{what}.", do=do)


COMMAND = SQL()
