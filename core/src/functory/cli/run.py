"""``functory run``: a function on texts from the command line, a file, or stdin."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import Any

from functory.cli import SUMMARIES
from functory.cli.options import add_function, open_function, pairs
from functory.contracts.command import Command


class Run(Command):
    """Run a function on texts."""

    help = SUMMARIES["run"]
    example = (
        'functory run sentiment "A small movie with a big impact."\n'
        "functory run sentiment --data reviews.csv --json > answers.jsonl"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_function(parser)
        parser.add_argument("texts", nargs="*", help="inputs; lines of stdin when neither these nor --data are given")
        parser.add_argument("--data", help="a CSV, TSV or JSON Lines file, or samples:NAME")
        parser.add_argument(
            "--column", action="append", default=[], metavar="FIELD=COLUMN", help="which column holds which field"
        )
        parser.add_argument(
            "--on-bad-row", choices=("stop", "skip"), default="stop", help="stop at a bad row, or skip it"
        )
        parser.add_argument(
            "--stream", action="store_true", help="write the text as it comes (functions that generate)"
        )

    def run(self, args: Namespace) -> int:
        function = open_function(args)
        if args.stream:
            for text in args.texts or [sys.stdin.read()]:
                for piece in function.stream(text):
                    print(piece, end="", flush=True)
                print()
            return 0
        for output in function.map(self._inputs(function, args)):
            _print(output, args.json)
        return 0

    def _inputs(self, function: Any, args: Namespace) -> Any:
        """Return what to run on."""
        if args.data:
            from functory.data import examples, read

            task = function.task
            columns = {field: names for field, names in task.columns.items() if field in task.Input.model_fields}
            found = examples(
                read(args.data), task.Input, columns, pairs(args.column, "--column"), on_bad_row=args.on_bad_row
            )
            if found.skipped:
                print(f"note: {found.passed_over}", file=sys.stderr)
            return list(found)
        if args.texts:
            return list(args.texts)
        return _lines()


def _lines() -> Iterator[str]:
    """Give the lines of stdin that hold something."""
    for line in sys.stdin:
        if line.strip():
            yield line.rstrip("\r\n")


def _print(output: Any, as_json: bool) -> None:
    """Print one output: a line of JSON for programs, the typed output for people."""
    print(output.model_dump_json() if as_json else repr(output), flush=True)


COMMAND = Run()
