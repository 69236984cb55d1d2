"""``functory doctor``: the environment, the weights, and what is wrong with which plugin."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import asdict

from functory.cli import SUMMARIES
from functory.cli.output import print_columns, print_json, say
from functory.contracts.command import Command
from functory.machine import environment
from functory.plugins.doctor import Examination, examine


class Doctor(Command):
    """Examine everything, and say what to do."""

    help = SUMMARIES["doctor"]
    example = "functory doctor --timeout 120"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("distribution", nargs="*", help="examine these alone; all when none is named")
        parser.add_argument(
            "--timeout",
            type=_seconds,
            default=60.0,
            metavar="S",
            help="seconds for one import (60 by default)",
        )

    def run(self, args: Namespace) -> int:
        facts, libraries = environment.facts(), environment.libraries()
        found = examine(args.timeout, tell=_progress, distributions=args.distribution)
        if args.json:
            print_json(
                {"environment": facts, "libraries": libraries, **asdict(found), "healthy": found.is_healthy}
            )
        else:
            _print(facts, libraries, found)
        return 0 if found.is_healthy else 1


def _print(facts: dict[str, str], libraries: dict[str, str | None], found: Examination) -> None:
    """Print an examination for people."""
    print("environment")
    print_columns(facts.items())
    print("libraries")
    print_columns((name, version or "not installed") for name, version in libraries.items())
    if found.weights:
        print("weights and texts")
        print_columns((component, _whereabouts(place)) for component, place in sorted(found.weights.items()))
    print(f"plugins\n  {found.examined} distributions examined, {len(found.findings)} findings.")
    for finding in found.findings:
        mark = "✗" if finding.is_fatal else "!"
        say(f"\n  {mark} {finding.distribution}: {finding.diagnosis}\n    {finding.what}")
        if finding.where:
            say(f"    where: {finding.where}")
        if finding.do:
            say(f"    do:    {finding.do}")


def _whereabouts(place: dict[str, str]) -> str:
    """Say where weights are, or what brings them."""
    if "at" in place:
        return place["at"]
    if "missing" in place:
        return f"missing. {place['do']}"
    return place["note"]


def _progress(distribution: str) -> None:
    """Show who has been examined, where somebody watches."""
    from functory.terminal import is_quiet

    if sys.stderr.isatty() and not is_quiet():
        print(f"examined {distribution}", file=sys.stderr)


def _seconds(text: str) -> float:
    """Read a time limit."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise ArgumentTypeError(f"{text!r} is no number of seconds from above 0 to 3600")
    return value


COMMAND = Doctor()
