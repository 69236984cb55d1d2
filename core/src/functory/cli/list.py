"""``functory list``: the installed components, from metadata alone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from functory.cli import SUMMARIES
from functory.cli.output import print_columns, print_json
from functory.contracts.command import Command
from functory.machine.distributions import CONTRACT, GROUPS, Entry
from functory.plugins import registry as plugins

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

PARTS = {
    "zero-shot": "No φ: the backbone does the task as it is, without training data.",
    "csv": "CSV and TSV: tables with a delimiter and a header.",
    "json": "One JSON list of objects.",
    "jsonl": "JSON Lines: one object per line.",
}
"""What is said of the core's own components besides verbs, so that listing imports none of them."""


class List(Command):
    """List what is installed; import none of it."""

    help = SUMMARIES["list"]
    example = "functory list --kind adaptations"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--kind", choices=GROUPS, metavar="KIND", help="only this kind")

    def run(self, args: Namespace) -> int:
        entries = plugins.entries(args.kind)
        if args.json:
            print_json([describe(entry, entries) for entry in entries])
        else:
            _print(entries, args.kind)
        for fault in plugins.faults():
            print(f"{fault.distribution}: {fault.what} See: functory doctor", file=sys.stderr)
        return 0


def describe(entry: Entry, entries: list[Entry]) -> dict[str, object]:
    """Return what a program wants to know of an entry without importing it."""
    return {
        "kind": entry.kind,
        "name": entry.name,
        "reference": entry.name if _is_clear(entry, entries) else entry.qualified,
        "distribution": entry.distribution,
        "version": entry.version,
        "summary": entry.summary,
        "contract": entry.contract,
        "speaks": entry.speaks,
        "ambiguous": not _is_clear(entry, entries),
    }


def _print(entries: list[Entry], kind: str | None) -> None:
    """Print one block per kind."""
    blocks = [(group, [entry for entry in entries if entry.kind == group]) for group in GROUPS]
    for group, members in blocks:
        if members:
            print(group)
            print_columns([_row(entry, entries) for entry in members])
    if not entries:
        print(f"no {kind or 'component'} is installed.")


def _row(entry: Entry, entries: list[Entry]) -> tuple[str, ...]:
    """Return an entry's cells; the last begins with what keeps it from being used."""
    about = (SUMMARIES | PARTS).get(entry.name, "") if entry.distribution == "functory" else entry.summary
    if not entry.speaks:
        theirs = f"contract {entry.contract}" if entry.contract else "no contract version"
        about = f"[{theirs}; this functory speaks {CONTRACT}] {about}"
    name = entry.name
    if not _is_clear(entry, entries):
        name = entry.qualified
        about = f"[two distributions claim this name: say {entry.qualified}] {about}"
    return name, entry.distribution, entry.version, about


def _is_clear(entry: Entry, entries: list[Entry]) -> bool:
    """Return whether the short name means this entry."""
    rivals = [other for other in entries if (other.kind, other.name) == (entry.kind, entry.name)]
    return len(rivals) == 1 or (entry.kind == "commands" and entry.distribution == "functory")


COMMAND = List()
