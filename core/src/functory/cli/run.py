"""``functory run``: a function on texts from the command line, a file, or stdin."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING

from functory.cli import SUMMARIES
from functory.cli.options import add_data, add_decoding, add_function, count, decoded, file, open_function
from functory.cli.output import say
from functory.contracts.command import Command
from functory.errors import UsageError

if TYPE_CHECKING:
    from functory.cli.showing import Showing
    from functory.function import Function
    from functory.running.answers import Answer, Question
    from functory.terminal import Progress


class Run(Command):
    """Run a function on texts."""

    help = SUMMARIES["run"]
    example = (
        'functory run sentiment "A small movie with a big impact."\n'
        "functory run sentiment --data reviews.csv --output answers.csv --top 3\n"
        "functory run story 'Once upon a time' --stream --decode temperature=0.8 --decode seed=3\n"
        "tail -f reviews.log | functory run sentiment --json"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_function(parser)
        parser.add_argument(
            "texts",
            nargs="*",
            default=[],
            help="inputs, or the fields of one input where it has several; lines of stdin when neither these nor --data are "
            "given: texts, or JSON objects where an input has several fields",
        )
        parser.add_argument(
            "--data", action="append", help="a file, a pattern, or samples:NAME; several when given again"
        )
        add_data(parser)
        add_decoding(parser)
        parser.add_argument(
            "--output", "-o", type=file, metavar="FILE",
            help="write the answers beside the inputs and their columns: .csv, .tsv or .jsonl",
        )  # fmt: skip
        parser.add_argument(
            "--top", type=count, metavar="COUNT", help="how many of what was scored (3 on a terminal, else all)"
        )
        parser.add_argument(
            "--stream", action="store_true", help="write the text as it comes (functions that generate)"
        )

    def run(self, args: Namespace) -> int:
        from functory.cli.questions import check_stdin
        from functory.cli.showing import check_table

        if args.stream and args.output:
            raise UsageError("--stream writes to the terminal, and not into --output.", do="leave one of the two out.")
        if args.data and args.texts:
            raise UsageError(f"there are texts ({args.texts[0]!r} …) and --data.", do="run on one of the two.")
        if args.output:
            check_table(args.output)
        if not args.data and not args.texts:
            check_stdin(args)
        function = decoded(open_function(args), args)
        lists, total = _asked(function, args)
        if args.stream:
            return _stream(function, chain.from_iterable(lists), args.json)
        return _answer(function, args, lists, total)


def _asked(function: Function, args: Namespace) -> tuple[Iterator[Sequence[Question]], int | None]:
    """Return what to run on, in lists, and how many there are where that is known."""
    from functory.cli.questions import from_arguments, from_data, from_lines

    if args.data:
        return from_data(function, args)
    if args.texts:
        given = from_arguments(function, args.texts)
        return iter([given]), len(given)
    return from_lines(function, args), None


def _answer(function: Function, args: Namespace, lists: Iterator[Sequence[Question]], total: int | None) -> int:
    """Answer everything; return 1 where there was something and nothing had an answer."""
    from functory.running.answers import answers
    from functory.terminal import progress

    stops = args.on_bad_row == "stop" or (args.on_bad_row is None and bool(args.data or args.texts))
    rows = 0
    wrong: list[Answer] = []
    with ExitStack() as stack:
        showing = _showing(args, total, stack)
        bar: Progress[Answer] = progress(None, function.name, total=total, quiet=None if args.data else True)
        stack.enter_context(bar)
        for found in answers(function, lists, stops=stops):
            showing.show(found)
            rows += len(found)
            wrong += [answer for answer in found if answer.error is not None]
            bar.advance(len(found))
    _tell(args, rows, wrong)
    return 1 if rows and len(wrong) == rows else 0


def _showing(args: Namespace, total: int | None, stack: ExitStack) -> Showing:
    """Return what takes the answers."""
    from functory.cli.showing import JsonLines, Lines, table

    if args.output:
        return stack.enter_context(table(args.output, args.top))
    return JsonLines(args.top) if args.json else Lines(args.top, is_alone=total == 1 and bool(args.texts))


def _tell(args: Namespace, count: int, wrong: Sequence[Answer]) -> None:
    """Say what was written, and how many rows have no answer."""
    if args.output and args.json:
        print(json.dumps({"output": str(args.output), "rows": count, "errors": len(wrong)}, ensure_ascii=False))
    elif args.output:
        say(f"{count:,} row{'' if count == 1 else 's'} written to {args.output}")
    if wrong and count > 1:
        first = wrong[0]
        told = f"{len(wrong):,} of {count:,} rows have no answer, the first: {first.question.where}: "
        say(f"note: {told}{first.error.what if first.error else ''}", sys.stderr)


def _stream(function: Function, questions: Iterable[Question], as_json: bool) -> int:
    """Write each text as it comes; as JSON an object for each piece of it."""
    from functory.terminal.streams import exact

    for question in questions:
        if question.error is not None:
            raise question.error
        with function.stream(question.value) as pieces:
            for piece in pieces:
                if as_json:
                    print(json.dumps({"row": question.row, "piece": piece}, ensure_ascii=False), flush=True)
                else:
                    print(piece, end="", flush=True, file=exact(sys.stdout))
        if as_json:
            print(json.dumps({"row": question.row, "piece": "", "finish": pieces.finish}), flush=True)
        else:
            print(flush=True)
    return 0


COMMAND = Run()
