"""``functory evaluate``: how good a function is on data with known answers."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from functory.cli import SUMMARIES
from functory.cli.options import (
    add_data,
    add_decoding,
    add_function,
    count,
    data,
    decoded,
    file,
    open_function,
    reading,
)
from functory.contracts.command import Command
from functory.errors import FunctoryError


class Evaluate(Command):
    """Measure a function."""

    help = SUMMARIES["evaluate"]
    example = "functory evaluate sentiment --data test.csv --html report.html"

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_function(parser)
        parser.add_argument(
            "--data", required=True, action="append", help="a file, a pattern, or samples:NAME; several when given again"
        )
        add_data(parser)
        add_decoding(parser)
        parser.add_argument(
            "--train",
            action="append",
            metavar="DATA",
            help="what the function learned from, for a simple method to learn from beside it, such as a regression on n-grams; "
            "several when given again",
        )
        parser.add_argument(
            "--mistakes",
            type=count,
            metavar="N",
            help="list N wrong answers, the surest first; 5 on a terminal and 20 in a page when not given",
        )
        parser.add_argument("--html", type=file, help="write the report as a page too")

    def run(self, args: Namespace) -> int:
        from functory.machine.targets import replaceable_file
        from functory.measuring.mistakes import KEPT
        from functory.measuring.tables import FEW_MISTAKES, draw
        from functory.terminal import show

        if args.html:
            replaceable_file(args.html)
        function = decoded(open_function(args), args)
        report = function.evaluate(
            data(args.data), mistakes=KEPT if args.mistakes is None else args.mistakes,
            train=data(args.train) if args.train else None, **reading(args),
        )  # fmt: skip
        drawn = draw(report, FEW_MISTAKES if args.mistakes is None else args.mistakes)
        try:
            if args.html:
                report.save_html(args.html)
        except FunctoryError:
            if not args.json:
                show(drawn)  # what was measured is told whatever becomes of the page
            raise
        if args.json:
            print(report.to_json())
        else:
            show(drawn)
        return 0


COMMAND = Evaluate()
