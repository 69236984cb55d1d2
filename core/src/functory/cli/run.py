"""``functory run``: a function on texts from the command line, a file, or stdin."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import Any

from functory.cli import SUMMARIES
from functory.cli.options import add_data, add_function, data, open_function, reading
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
        parser.add_argument(
            "--data", action="append", help="a file, a pattern, or samples:NAME; several when given again"
        )
        add_data(parser)
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
            from functory.data import examples, stream

            task = function.task
            columns = {field: names for field, names in task.columns.items() if field in task.Input.model_fields}
            said = {"columns": None, "on_bad_row": "stop", "format": None, "encoding": "", **reading(args)}
            rows = stream(data(args.data), format=said["format"], encoding=said["encoding"])
            found = examples(rows, task.Input, columns, said["columns"], on_bad_row=said["on_bad_row"])
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
