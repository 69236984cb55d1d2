"""What a verb of the command line is. Free of pydantic, so that `functory list` starts at once.

A command has arguments in place of options, so it is no `Component`; its entry point names it all the same:

    [project.entry-points."functory.commands"]
    shout = "functory_shout:COMMAND"

    class Shout(Command):
        help = "print a text in capitals"
        example = "functory shout hello"

        def add_arguments(self, parser: ArgumentParser) -> None:
            parser.add_argument("text", help="what to shout")

        def run(self, args: Namespace) -> int:
            print(args.text.upper())
            return 0

    COMMAND = Shout()
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # argparse costs 8 ms, which an import of this module alone does not owe
    from argparse import ArgumentParser, Namespace


class Command(ABC):
    """A verb: its arguments, one call of the Python function of the same name, its output.

    Results go to stdout, progress to stderr. `--json` is added to every verb, and read as ``args.json``;
    so is `--quiet`, which `functory.terminal.progress` obeys by itself.
    Raise a `FunctoryError` to fail: it is laid out, and its exit code returned, by the caller.
    """

    name: str = ""
    """The entry point's name; set by the loader."""
    help: str
    """One line, in the imperative, shown by ``functory --help``."""
    example: str
    """One or more lines that a user can type, shown at the end of the verb's own help."""

    @abstractmethod
    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the verb's arguments."""

    @abstractmethod
    def run(self, args: Namespace) -> int:
        """Do the work and return the exit code: 0, or 1 where it failed without an error to raise.

        :raises FunctoryError: whatever went wrong; the command line tells it and gives its exit code.
        :raises KeyboardInterrupt: at Ctrl-C, with what the user may do next.
        """
