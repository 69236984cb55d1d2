"""``functory explain``: which words made the output what it is."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from functory.cli import SUMMARIES
from functory.cli.options import add_function, file, open_function, values
from functory.cli.written import fields
from functory.contracts.command import Command
from functory.errors import InputError

if TYPE_CHECKING:
    from functory.function import Function


class Explain(Command):
    """Explain one output."""

    help = SUMMARIES["explain"]
    example = 'functory explain sentiment "A small movie with a big impact." --html why.html'

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_function(parser)
        parser.add_argument(
            "text", nargs="+", help="the input; several where the function takes several texts, or one JSON object of its fields"
        )
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
        value = _input(function, args.text)
        found = function.explain(value, method=args.method, target=args.target, **values(args.set))
        if args.html:
            with file_written_whole(args.html) as page:
                page.write_text(found.html(), encoding="utf-8")
        if args.json:
            print(found.model_dump_json(indent=2))
        else:
            show(found)
        return 0


def _input(function: Function, given: Sequence[str]) -> Any:  # Any: the task's Input
    """Return the input that a command line spells: by its texts, or by a JSON object where it has several fields.

    :raises InputError: when it spells none.
    """
    if len(given) > 1 or len(function.task.Input.model_fields) == 1 or not given[0].lstrip().startswith("{"):
        names = function.task.shorthand
        return function.read(*fields(function.task, given).values(), *given[len(names) :])
    try:
        return function.coerce(json.loads(given[0]))
    except ValueError as error:
        raise InputError(f"the input begins like a JSON object, and is none: {error}.", do=f"call {function._call}.") from None


COMMAND = Explain()
