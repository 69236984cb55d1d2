"""``functory evaluate``: how good a function is on data with known answers."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from functory.cli import SUMMARIES
from functory.cli.options import add_function, count, open_function, pairs
from functory.contracts.command import Command


class Evaluate(Command):
    """Measure a function."""

    help = SUMMARIES["evaluate"]
    example = "functory evaluate sentiment --data test.csv --html report.html"

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_function(parser)
        parser.add_argument("--data", required=True, help="a CSV, TSV or JSON Lines file, or samples:NAME")
        parser.add_argument(
            "--column", action="append", default=[], metavar="FIELD=COLUMN", help="which column holds which field"
        )
        parser.add_argument(
            "--on-bad-row", choices=("stop", "skip"), default="stop", help="stop at a bad row, or skip it"
        )
        parser.add_argument(
            "--mistakes",
            type=count,
            metavar="N",
            help="list N wrong answers, the surest first; 5 on a terminal and 20 in a page when not given",
        )
        parser.add_argument("--html", type=Path, help="write the report as a page too")

    def run(self, args: Namespace) -> int:
        from functory.measuring.mistakes import KEPT
        from functory.measuring.tables import FEW_MISTAKES, draw
        from functory.terminal import show

        function = open_function(args)
        report = function.evaluate(
            args.data,
            on_bad_row=args.on_bad_row,
            columns=pairs(args.column, "--column"),
            mistakes=KEPT if args.mistakes is None else args.mistakes,
        )
        if args.html:
            report.save_html(args.html)
        if args.json:
            print(report.to_json())
        else:
            show(draw(report, FEW_MISTAKES if args.mistakes is None else args.mistakes))
        return 0


COMMAND = Evaluate()
