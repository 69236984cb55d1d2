"""``functory compare``: which of two functions is better, and where they differ."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from functory.cli import SUMMARIES
from functory.cli.options import add_data, add_digests, add_opening, count, data, opening, reading
from functory.contracts.command import Command


class Compare(Command):
    """Compare two functions of one task."""

    help = SUMMARIES["compare"]
    example = "functory compare sentiment sentiment-int8 --data test.csv"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("first", help="a saved function's folder, or an installed function's name")
        parser.add_argument("second", help="likewise; differences are the second's less the first's")
        parser.add_argument(
            "--data", required=True, action="append", help="a file, a pattern, or samples:NAME; several when given again"
        )
        add_data(parser)
        parser.add_argument(
            "--rows", type=count, default=10, metavar="N", help="list N examples that they answer differently (10)"
        )
        add_opening(parser)
        add_digests(parser)

    def run(self, args: Namespace) -> int:
        from functory.terminal import show
        from functory.using.comparing import compare

        found = compare(
            args.first, args.second, data(args.data), rows=args.rows, sha256=args.sha256, **opening(args), **reading(args)
        )
        if args.json:
            print(found.to_json())
        else:
            show(found)
        return 0


COMMAND = Compare()
