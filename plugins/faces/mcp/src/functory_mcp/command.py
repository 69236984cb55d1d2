"""``functory mcp``: functions as tools, over stdio."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from functory_sdk import Command, SessionOptions, UsageError, open_named


class Speak(Command):
    """Give functions to an assistant that speaks MCP."""

    help = "give functions as tools to an assistant that speaks MCP over stdin and stdout"
    example = "functory mcp sentiment/\nfunctory mcp sentiment/ topics=./models/topics"

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("functions", nargs="*", metavar="FUNCTION",
            help="a saved function's folder, or an installed function's name; NAME=FOLDER names it")  # fmt: skip
        add("--threads", type=int, default=0, help="threads of one forward pass; the machine's cores when not given")

    def run(self, args: Namespace) -> int:
        from functory_mcp.stdio import serve

        if not args.functions:
            raise UsageError("no function is named.", do="functory mcp FOLDER.")
        session = SessionOptions(threads=args.threads)
        serve(lambda: {name: one.function for name, one in open_named(args.functions, session).items()})
        return 0


COMMAND = Speak()
