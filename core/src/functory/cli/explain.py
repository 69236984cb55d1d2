"""``functory explain``: which words made the output what it is."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from functory.cli import SUMMARIES
from functory.cli.options import add_function, file, open_function, values
from functory.contracts.command import Command


class Explain(Command):
    """Explain one output."""

    help = SUMMARIES["explain"]
    example = 'functory explain sentiment "A small movie with a big impact." --html why.html'

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_function(parser)
        parser.add_argument("text", nargs="+", help="the input; several where the function takes several texts")
        parser.add_argument("--method", default="occlusion", help="an explanation's name (occlusion)")
        parser.add_argument("--target", help="which label, span or token; the likeliest when not given")
        parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="an option of the method")
        parser.add_argument("--html", type=file, help="write it as a page too")

    def run(self, args: Namespace) -> int:
        from functory.machine.folders import file_written_whole
        from functory.machine.targets import replaceable_file
        from functory.terminal import show

        if args.html:
            replaceable_file(args.html)
        function = open_function(args)
        value = function.read(*args.text)
        found = function.explain(value, method=args.method, target=args.target, **values(args.set))
        if args.html:
            with file_written_whole(args.html) as page:
                page.write_text(found.html(), encoding="utf-8")
        if args.json:
            print(found.model_dump_json(indent=2))
        else:
            show(found)
        return 0


COMMAND = Explain()
