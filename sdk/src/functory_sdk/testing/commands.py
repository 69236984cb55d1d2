"""What every command owes."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import ClassVar

import pytest

from functory.cli import main
from functory.contracts.command import Command
from functory_sdk.testing.suite import Suite


class CommandSuite(Suite):
    """Runs a verb in process.

    :cvar arguments: arguments with which it succeeds; without them only its help is checked.
    """

    kind: ClassVar[str] = "commands"
    arguments: ClassVar[tuple[str, ...] | None] = None

    def test_it_is_a_command_with_help_and_example(self) -> None:
        """One line of help, an example that a user can type, arguments that can be declared.

        If this fails: derive the class from `functory_sdk.Command`, set `help` and `example`, and announce an instance.
        """
        found = self.load()
        assert isinstance(found, Command), f"{self.component!r} is a {type(found).__name__}, no Command."
        assert found.help and "\n" not in found.help, f"its help is no line: {found.help!r}"
        assert "functory " in found.example.splitlines()[0], f"nobody can type this: {found.example!r}"
        found.add_arguments(ArgumentParser())

    def test_its_help_is_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        """``functory VERB --help`` ends well and shows the example.

        If this fails: look at `add_arguments`.
        """
        assert main([self.component, "--help"]) == 0, "--help fails."
        example = self.load().example.splitlines()[0]
        assert example in capsys.readouterr().out, f"--help does not show the example {example!r}."

    def test_its_json_is_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        """With ``--json``, stdout is JSON: one value, or one in each line.

        If this fails: print results alone to stdout, and `args.json` decides how.
        """
        if self.arguments is None:
            pytest.skip("the test class gives no arguments")
        code = main([self.component, *self.arguments, "--json"])
        assert code == 0, f"with --json it ends with {code}."
        out = capsys.readouterr().out
        try:
            json.loads(out)
        except ValueError:
            for line in out.splitlines():
                json.loads(line)

    def test_a_wrong_argument_ends_with_2(self, capsys: pytest.CaptureFixture[str]) -> None:
        """An option that is not there is refused without a traceback.

        If this fails: declare options with the parser and raise `UsageError` for what it cannot check.
        """
        code = main([self.component, "--no-such-option"])
        assert code == 2, f"the option '--no-such-option' ends with {code}, not 2."
        assert "Traceback" not in capsys.readouterr().err, "a wrong option gives a traceback."
