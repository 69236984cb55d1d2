"""Commands that are each wrong in one way: what the suite must find. Not a plugin."""

from __future__ import annotations

from typing import Any

from functory_sdk import Command


class Shouting(Command):
    """Prints its results beside its JSON."""

    help = ""
    example = "shout"

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--no-such-option", action="store_true", help="taken, whatever it is")

    def run(self, args: Any) -> int:
        print("done!")
        return 0


class Mute(Shouting):
    """Cannot print its help."""

    def add_arguments(self, parser: Any) -> None:
        parser.print_help = parser.format_help = lambda *a: ""
