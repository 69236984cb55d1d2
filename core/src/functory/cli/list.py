"""``functory list``: the installed components, from metadata alone; or the functions saved in a folder."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from functory.cli import SUMMARIES
from functory.cli.output import print_columns, print_json, say, size
from functory.contracts.command import Command
from functory.errors import UsageError
from functory.machine.distributions import CONTRACT, GROUPS, Entry
from functory.plugins import registry as plugins

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from functory.artefact.finding import Saved
    from functory.machine.declared import Declared

PARTS = {
    "composite": "Other functions, of which a task makes one.",
    "engine": "Files that one engine opens.",
    "torch": "A backbone with φ inside, in memory.",
    "zero-shot": "No φ: the backbone does the task as it is, without training data.",
    "csv": "CSV and TSV: tables with a delimiter and a header.",
    "json": "One JSON list of objects.",
    "jsonl": "JSON Lines: one object per line.",
}
"""What is said of the core's own components besides verbs, so that listing imports none of them."""


class List(Command):
    """List what is installed; import none of it."""

    help = SUMMARIES["list"]
    example = "functory list --kind adaptations\nfunctory list models/"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "folder", nargs="?", help="list the functions saved in it, and in the folders in it, three deep"
        )
        parser.add_argument(
            "--kind", choices=GROUPS, metavar="KIND", help="only this kind; functions: those saved here too"
        )

    def run(self, args: Namespace) -> int:
        if args.folder is not None:
            return _list_folder(args.folder, args.kind, args.json)
        entries = plugins.entries(args.kind)
        here = _saved(Path()) if args.kind == "functions" else []
        if args.json:
            rivals = _rivals(entries)
            print_json([_described(entry, rivals) for entry in entries] + [_told(one) for one in here])
        else:
            if entries or not here:
                _print(entries, args.kind)
            if args.kind == "backbones":
                _print_facts(entries)
            _print_saved(here)
        for fault in plugins.faults():
            if fault.is_listed:
                say(f"{fault.distribution}: {fault.what} See: functory doctor", sys.stderr)
        return 0


def _list_folder(folder: str, kind: str | None, as_json: bool) -> int:
    """List the functions in a folder.

    :raises UsageError: there is no such folder, or another kind was asked for.
    """
    if kind not in (None, "functions"):
        raise UsageError(f"a folder holds functions, and no {kind}.", do=f"functory list --kind {kind}")
    if not Path(folder).is_dir():
        do = f"functory list --kind {folder}" if folder in GROUPS else "name a folder that holds saved functions."
        raise UsageError(f"there is no folder {folder!r}.", where=str(Path.cwd()), do=do)
    from functory.machine.storage import telling

    with telling(folder), os.scandir(folder):  # what cannot be looked into is not empty
        found = _saved(Path(folder))
    if as_json:
        print_json([_told(one) for one in found])
    elif found:
        _print_saved(found)
    else:
        say(f"no function is saved in {folder}, nor in the folders in it.")
    return 0


def _saved(folder: Path) -> list[Saved]:
    from functory.artefact.finding import find

    return list(find(folder))


def _told(one: Saved) -> dict[str, object]:
    """Return what a program wants to know of a saved function."""
    from dataclasses import asdict

    return {"kind": "functions", **asdict(one)}


def _print_saved(found: list[Saved]) -> None:
    """Print a line for each saved function: where it is, what it does, how well, how large it is."""
    if found:
        print("saved functions")
        print_columns(map(_saved_row, found))


def _saved_row(one: Saved) -> tuple[str, ...]:
    if one.trouble:
        return one.folder, "", "", "", "", f"[{one.trouble}]"
    figure = "" if one.value is None else f"{one.metric} {one.value:.3f}"
    return one.folder, f"{one.name} {one.version}", one.task, figure, size(one.bytes), ", ".join(one.forms)


def _described(entry: Entry, rivals: Counter[tuple[str, str]]) -> dict[str, object]:
    """Return what a program wants to know of an entry without importing it."""
    is_clear = _is_clear(entry, rivals)
    return {
        "kind": entry.kind,
        "name": entry.name,
        "reference": entry.name if is_clear else entry.qualified,
        "distribution": entry.distribution,
        "version": entry.version,
        "summary": entry.summary,
        "contract": entry.contract,
        "speaks": entry.speaks,
        "ambiguous": not is_clear,
    } | ({"facts": _facts(entry)} if entry.kind == "backbones" else {})


def _print(entries: list[Entry], kind: str | None) -> None:
    """Print one block per kind."""
    rivals = _rivals(entries)
    blocks = [(group, [entry for entry in entries if entry.kind == group]) for group in GROUPS]
    for group, members in blocks:
        if members:
            print(group)
            print_columns(list(_rows(members, rivals)))
    if not entries:
        print(f"no {kind or 'component'} is installed.")


def _facts(entry: Entry) -> dict[str, object] | None:
    """Return what a backbone says of itself; None where it says nothing."""
    from dataclasses import asdict

    from functory.machine.declared import declared

    found = declared(entry)
    return asdict(found) if found is not None else None


def _print_facts(entries: list[Entry]) -> None:
    """Print what each backbone is: what one chooses it by."""
    from functory.machine.declared import declared

    told = [(entry.name, declared(entry)) for entry in entries]
    head = ("", "architecture", "parameters", "languages", "context", "licence", "size", "here")
    rows = [(name, *_cells(found)) for name, found in told if found is not None]
    if rows:
        print()
        print_columns([head, *rows])


def _cells(found: Declared) -> tuple[str, ...]:
    """Return a backbone's facts as the cells of its row."""
    if found.place:
        return ("", "", "", "", "", "", f"name {found.place}")
    names = ", ".join(found.languages) if len(found.languages) < 5 else f"{len(found.languages)} languages"
    return (
        f"{found.architecture} ({found.family})" if found.family else found.architecture,
        f"{found.parameters / 1e6:,.0f} M" if found.parameters else "",
        names,
        f"{found.context:,} tokens" if found.context else "",
        found.licence,
        size(found.bytes) if found.bytes else "",
        {True: "yes", False: "no", None: ""}[found.is_here],
    )


def _rows(entries: list[Entry], rivals: Counter[tuple[str, str]]) -> Iterator[tuple[str, ...]]:
    """Yield the lines of one kind; families that one distribution brings stand in one, since all do the same."""
    together: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if entry.kind == "families" and entry.speaks and _is_clear(entry, rivals):
            together.setdefault((entry.distribution, entry.version), []).append(entry)
        else:
            yield _row(entry, rivals)
    for (distribution, version), some in together.items():
        names = ", ".join(entry.name for entry in some)
        yield (f"{len(some)} families", distribution, version, names) if len(some) > 1 else _row(some[0], rivals)


def _row(entry: Entry, rivals: Counter[tuple[str, str]]) -> tuple[str, ...]:
    """Return an entry's cells; the last begins with what keeps it from being used."""
    about = (SUMMARIES | PARTS).get(entry.name, "") if entry.distribution == "functory" else entry.summary
    if not entry.speaks:
        theirs = f"contract {entry.contract}" if entry.contract else "no contract version"
        about = f"[{theirs}; this functory speaks {CONTRACT}] {about}"
    name = entry.name
    if not _is_clear(entry, rivals):
        name = entry.qualified
        about = f"[two distributions claim this name: say {entry.qualified}] {about}"
    return name, entry.distribution, entry.version, about


def _rivals(entries: list[Entry]) -> Counter[tuple[str, str]]:
    """Return how many claim each name of each kind."""
    return Counter((entry.kind, entry.name) for entry in entries)


def _is_clear(entry: Entry, rivals: Counter[tuple[str, str]]) -> bool:
    """Return whether the short name means this entry."""
    return rivals[entry.kind, entry.name] == 1 or (entry.kind in plugins.OWN_FIRST and entry.distribution == "functory")


COMMAND = List()
