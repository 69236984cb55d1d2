"""Runs one verb, and gives every way that it can end its message and its exit code."""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import NoReturn

from functory.cli.standing import BROKEN_PIPE
from functory.contracts.command import Command
from functory.errors import FunctoryError, StorageError, UsageError
from functory.machine.distributions import Entry
from functory.terminal.streams import harmless_streams, results_alone
from functory.wording.told import kind, message_of, safe_text, told

INTERRUPTED = 130
"""What a shell gives for a program that SIGINT ended."""
DOUBTFUL = {errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY, errno.EBADF}
"""What the system also refuses where a program is wrong."""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints have the form of all other errors."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].lower()}{message[1:]}.", where=self.prog, do=f"{self.prog} --help")


class _Layout(argparse.HelpFormatter):
    """Help that keeps the lines of examples, which are there to be copied, and fits everything else."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("example:") else super()._fill_text(text, width, indent)


def run(command: Command, arguments: Sequence[str]) -> int:
    """Parse a verb's arguments and run it.

    :return: the verb's exit code.
    :raises UsageError: for arguments that it does not take.
    """
    args = _parsed(parser_of(command), arguments)
    with _quiet(args.quiet), results_alone() if _whose(command) == "functory" else nullcontext():
        try:
            return command.run(args)
        except SystemExit as end:
            if os.environ.get("FUNCTORY_DEBUG") or not _is_strangers(end, command):
                raise
            raise _unexpected(end) from end


def _is_strangers(end: SystemExit, command: Command) -> bool:
    """Return whether another plugin than the verb's own ended the program: it would look as if the verb were done."""
    owner, _ = _culprit(end)
    return owner is not None and owner.distribution not in ("functory", _whose(command))


def _whose(command: Command) -> str:
    """Return the distribution that gives a verb; empty where that is not known."""
    from functory.plugins.registry import origin

    entry = origin(command)
    return entry.distribution if entry is not None else ""


def _parsed(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Return the arguments, with options anywhere among them: ``functory run f --json "a text"``.

    argparse itself gives a place that may stay empty nothing, where an option stands before what is meant for it.
    """
    if any(action.nargs in (argparse.PARSER, argparse.REMAINDER) for action in parser._actions):  # it refuses these
        return parser.parse_args(arguments)
    return parser.parse_intermixed_args(arguments)


def parser_of(command: Command) -> argparse.ArgumentParser:
    """Return the parser of a verb's arguments, with the options that every verb has."""
    example = "\n".join(f"  {line.strip()}" for line in command.example.strip().splitlines())
    parser = _Parser(
        prog=f"functory {command.name}",
        description=f"{command.help[:1].upper()}{command.help[1:]}.",
        epilog=f"example:\n{example}",
        formatter_class=_Layout,
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print what a program can read")
    parser.add_argument("--quiet", action="store_true", help="show no progress on stderr, as FUNCTORY_QUIET=1 does")
    return parser


@contextmanager
def _quiet(asked: bool) -> Iterator[None]:
    """Let everything in this process, and what it starts, show no progress for a while, where that was asked for."""
    before = os.environ.get("FUNCTORY_QUIET")
    if asked:
        os.environ["FUNCTORY_QUIET"] = "1"
    try:
        yield
    finally:
        if asked and before is None:
            del os.environ["FUNCTORY_QUIET"]
        elif asked and before is not None:
            os.environ["FUNCTORY_QUIET"] = before


def guarded(work: Callable[[], int], *, as_json: bool) -> int:
    """Do some work; tell how it failed, if it did, without a traceback.

    ``FUNCTORY_DEBUG=1`` lets every exception through.

    :param as_json: print an error as one JSON object on stdout, besides its text on stderr.
    :return: the exit code.
    """
    with harmless_streams(as_json):
        return _guarded(work, as_json)


def _guarded(work: Callable[[], int], as_json: bool) -> int:
    try:
        code = _ended(work)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output has enough: `functory list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more
        return BROKEN_PIPE
    except KeyboardInterrupt as end:  # a verb may say what becomes of its work
        print(" ".join(["\ninterrupted.", *map(safe_text, end.args)]), file=sys.stderr)
        return INTERRUPTED
    except BaseException as error:  # a plugin may raise what is no Exception
        if os.environ.get("FUNCTORY_DEBUG"):
            raise
        return _tell(_told(error), as_json)
    return code


def _ended(work: Callable[[], int]) -> int:
    """Return the exit code of some work, which argparse ends by SystemExit after --help."""
    try:
        return work()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(safe_text(end.code), file=sys.stderr)  # as Python does
        return 1


def _tell(error: FunctoryError, as_json: bool) -> int:
    """Print an error and return its exit code; on stderr it is told where stdout takes nothing."""
    if as_json:
        with suppress(OSError, StorageError):
            print(json.dumps(error.as_json(), ensure_ascii=False), flush=True)
    print(f"{kind(error)}: {safe_text(error)}", file=sys.stderr)
    return error.exit_code


def _told(error: BaseException) -> FunctoryError:
    """Return an error of the tree: as it is, as what the system refused, or as something that nobody raised on purpose."""
    from functory.machine.storage import REFUSALS, refusal

    if isinstance(error, FunctoryError):
        return error
    found = refusal(error)
    if found is None:
        return _unexpected(error)
    if found.errno in DOUBTFUL or found.errno not in REFUSALS:
        found.do += " If it is not yours to mend: FUNCTORY_DEBUG=1 shows the traceback."
    return found


class UnexpectedError(FunctoryError):
    """Something that nobody raised on purpose."""


def _unexpected(error: BaseException) -> FunctoryError:
    """Return an error that says whose bug it is, or what is not installed, and where its traceback lies."""
    what = told(error) if message_of(error) else f"{kind(error)}."
    owner, place = _culprit(error)
    log = _write(error)
    kept = f"The traceback is in {log}; " if log else ""
    shown = f"{kept}FUNCTORY_DEBUG=1 shows it."
    if isinstance(error, ModuleNotFoundError) and error.name and owner is not None:
        from functory.plugins.missing import remedy

        what = f"{owner.distribution} {owner.version} needs the module {error.name!r}, which is not installed."
        return UnexpectedError(what, where=place, do=f"{remedy(error.name, owner)} {shown}")
    whose = "functory" if owner is None or owner.distribution == "functory" else f"the plugin {owner.distribution}"
    noted = "".join(f" {safe_text(note)}" for note in getattr(error, "__notes__", ()))
    return UnexpectedError(what, where=place, do=f"this is a bug in {whose}. {shown}{noted}")


def _culprit(error: BaseException) -> tuple[Entry | None, str]:
    """Return an entry of the distribution whose frame was the deepest, if one's was, and its file and line."""
    owners = _owners()
    owner, place = None, ""
    trace = error.__traceback__
    while trace is not None:
        top = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        if top in owners:
            owner = owners[top]
            place = f"{trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return owner, place


def _owners() -> dict[str, Entry]:
    """Return who gives a package: no distribution is blamed for what the core or Python does by announcing it as its own."""
    from functory.plugins import registry as plugins

    owners: dict[str, Entry] = {}
    for entry in sorted(plugins.entries(), key=lambda entry: entry.distribution != "functory"):
        package = entry.value.partition(":")[0].partition(".")[0]
        if package not in sys.stdlib_module_names:
            owners.setdefault(package, entry)
    return owners


def _write(error: BaseException) -> Path | None:
    """Write a traceback into the cache's logs; return the file, or None where nothing can be written."""
    import time
    import traceback

    from functory.machine import places

    try:
        log = places.cache("logs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
        log.write_text("".join(traceback.format_exception(error)), encoding="utf-8", errors="backslashreplace")
    except OSError:
        return None
    return log
