"""``functory run``: a function on texts from the command line, a file, or stdin."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Sequence
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
    from functory.using.answered import Answered, Tally


class Run(Command):
    """Run a function on texts."""

    help = SUMMARIES["run"]
    example = (
        'functory run sentiment "A small movie with a big impact."\n'
        "functory run sentiment --input reviews.parquet --output scored.parquet\n"
        "functory run story 'Once upon a time' --stream --decode temperature=0.8 --decode seed=3\n"
        "tail -f reviews.log | functory run sentiment --json"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_function(parser)
        parser.add_argument(
            "texts",
            nargs="*",
            default=[],
            help="inputs, or the fields of one input where it has several; lines of stdin when neither these nor --input are "
            "given: texts, or JSON objects where an input has several fields",
        )
        parser.add_argument(
            "--input", "-i", action="append", metavar="FILE", help="a file, a pattern, or samples:NAME; several when given again"
        )
        add_data(parser, keeps=True)
        add_decoding(parser)
        parser.add_argument(
            "--output", "-o", type=file, metavar="FILE",
            help="write the answers beside the inputs and their columns: .csv, .tsv, .jsonl, .parquet …; the same run goes on "
            "where it was broken off",
        )  # fmt: skip
        parser.add_argument(
            "--top", type=count, metavar="COUNT", help="how many of what was scored (3 on a terminal, else all)"
        )
        parser.add_argument(
            "--stream", action="store_true", help="write the text as it comes (functions that generate)"
        )

    def run(self, args: Namespace) -> int:
        from functory.cli.questions import check_stdin

        if args.stream and args.output:
            raise UsageError("--stream writes to the terminal, and not into --output.", do="leave one of the two out.")
        if args.input and args.texts:
            raise UsageError(f"there are texts ({args.texts[0]!r} …) and --input.", do="run on one of the two.")
        if args.output:
            from functory.using.bulk import check_target

            check_target(args.output)
        if not args.input and not args.texts:
            check_stdin(args)
        function = decoded(open_function(args), args)
        if args.stream:
            return _stream(function, chain.from_iterable(_asked(function, args)[0]), args.json)
        return _written(function, args) if args.output else _shown(function, args)


def _asked(
    function: Function, args: Namespace, answered: Answered | None = None
) -> tuple[Iterator[Sequence[Question]], int | None]:
    """Return what to run on, in lists, and how many there are where that is known."""
    from functory.cli.questions import from_arguments, from_data, from_lines

    if args.input:
        return from_data(function, args, answered)
    if args.texts:
        given = from_arguments(function, args.texts)
        return iter([given]), len(given)
    return from_lines(function, args), None


def _shown(function: Function, args: Namespace) -> int:
    """Answer everything on stdout; return 1 where there was something and nothing had an answer."""
    from functory.cli.questions import on_bad_row
    from functory.cli.showing import JsonLines, Lines
    from functory.running.answers import answers
    from functory.using.answered import Tally

    bad, tally = on_bad_row(args), Tally()
    lists, total = _asked(function, args)
    showing: Showing = JsonLines(args.top) if args.json else Lines(args.top, is_alone=total == 1 and bool(args.texts))
    with _bar(function, args, total) as bar:
        for found in answers(function, lists, stops=bad == "stop"):
            showing.show([answer for answer in found if answer.error is None] if bad == "skip" else found)
            tally.add(found)
            bar.advance(len(found))
    return _told(tally, bad)


def _written(function: Function, args: Namespace) -> int:
    """Write the answers to everything into a file; return as `_shown`."""
    from functory.cli.questions import again, on_bad_row
    from functory.running.answers import answers
    from functory.using.bulk import bulk

    bad = on_bad_row(args)
    with bulk(args.output, function, again(args), top=args.top, bad=bad, said=args.decode) as answered:
        lists, total = _asked(function, args, answered)
        if answered.tally.rows:
            say(f"note: going on after {answered.tally.rows:,} rows that an earlier run has answered.", sys.stderr)
        with _bar(function, args, total) as bar:
            bar.advance(answered.tally.rows)
            for found in answers(function, lists):
                answered.show(found)
                bar.advance(len(found))
    tally = answered.tally
    count = tally.rows - (tally.errors if bad == "skip" else 0)
    if args.json:
        print(json.dumps({"output": str(args.output), "rows": count, "errors": tally.errors}, ensure_ascii=False))
    else:
        say(f"{count:,} row{'' if count == 1 else 's'} written to {args.output}")
    return _told(tally, bad)


def _bar(function: Function, args: Namespace, total: int | None) -> Progress[Answer]:
    from functory.terminal import progress

    return progress(None, function.name, total=total, quiet=None if args.input else True)


def _told(tally: Tally, bad: str) -> int:
    """Say which rows have no answer, and what became of them; return the exit code."""
    if tally.errors and tally.rows > 1:
        became = ", and are left out" if bad == "skip" else ""
        first, *others = tally.first
        say(f"note: {tally.errors:,} of {tally.rows:,} rows have no answer{became}, the first: {first}", sys.stderr)
        more = tally.errors - len(tally.first)
        for line in [*others, *([f"… and {more:,} more"] if more else [])]:
            say(f"      {line}", sys.stderr)
    return 1 if tally.rows and tally.errors == tally.rows else 0


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
