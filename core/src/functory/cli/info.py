"""``functory info NAME``: what a component does, or what a saved function is."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from shlex import quote
from typing import Any

from functory.cli import SUMMARIES
from functory.cli.output import print_json, say
from functory.contracts.command import Command
from functory.errors import ArtefactError, UnknownComponent
from functory.machine.distributions import GROUPS, Entry
from functory.plugins import registry as plugins


class Info(Command):
    """Tell about a component, which is imported for it, or a saved function, which is not opened."""

    help = SUMMARIES["info"]
    example = "functory info lora\nfunctory info text-classification\nfunctory info sentiment/"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "name", help="a component's name, or distribution:name; a saved function's folder, or an installed function"
        )
        parser.add_argument(
            "--kind", choices=GROUPS, metavar="KIND", help="where several kinds have the name; functions: those saved too"
        )

    def run(self, args: Namespace) -> int:
        folder = _folder(args.name, args.kind)
        entries = [] if folder is not None and "/" in args.name else _entries(args.name, args.kind, folder)
        told = [_function(folder)] if folder is not None else []
        told += [_component(entry) for entry in entries]
        if len(told) > 1 and folder is not None:
            say(
                f"note: {args.name!r} is the folder of a function, and a component's name too: ./{args.name} is the folder "
                f"alone, --kind {entries[0].kind} the component.",
                sys.stderr,
            )
        if args.json:
            print_json(told)
        else:
            _print(told)
        return int(any(facts.get("trouble") for facts in told))


def _folder(name: str, kind: str | None) -> Path | None:
    """Return the folder of a saved function, where a name says or is one."""
    folder = Path(name)
    if kind not in (None, "functions"):
        return None
    return folder if "/" in name or (folder / "function.json").is_file() else None


def _entries(name: str, kind: str | None, folder: Path | None) -> list[Entry]:
    """Return the entry that a name means in each kind that has it.

    :raises UnknownComponent: no kind has it, and no folder either.
    :raises ArtefactError: it is a folder that is no function.
    :raises AmbiguousComponent: two distributions claim it.
    """
    found = []
    for group in GROUPS if kind is None else (kind,):
        try:
            found.append(plugins.find(group, name))
        except UnknownComponent:
            if kind is not None and folder is None:
                raise
    if not found and folder is None and Path(name).is_dir():
        raise ArtefactError(
            "no function is saved in this folder itself.",
            where=name,
            do=f"functory list {quote(name)} looks into the folders in it.",
        )
    if not found and folder is None and Path(name).is_file():
        raise ArtefactError("this is a file, and a saved function is a folder.", where=name, do="name a folder, or a component.")
    if not found and folder is None:
        known = {other: dist for names in plugins.known().values() for other, dist in names.items()}
        raise UnknownComponent("components", name, {entry.name for entry in plugins.entries()} | _saved_here(), known)
    return found


def _saved_here() -> set[str]:
    """Return the names of the folders here that hold a function, for who mistypes one."""
    from functory.artefact.finding import find

    return {one.folder for one in find(Path(), depth=1)}


def _function(folder: Path) -> dict[str, Any]:  # Any: JSON
    from functory.artefact.summary import summarise

    return summarise(folder)


def _component(entry: Entry) -> dict[str, Any]:  # Any: JSON
    """Return what there is to tell about an entry: of an installed function, what there is in its folder."""
    from functory.artefact.installed import Packaged
    from functory.plugins.describing import describe

    if entry.kind != "functions":
        return describe(entry)
    found = plugins.load(entry.kind, entry.qualified)
    about = {"distribution": entry.distribution, "value": entry.value}
    if isinstance(found, Packaged):
        return _function(found.checked()) | about
    examples = [f"functory run {entry.name} …"]
    return {"name": entry.name, "kind": entry.kind, "version": entry.version, "summary": entry.summary, **about,
            "examples": examples}  # fmt: skip


def _print(told: list[dict[str, Any]]) -> None:
    """Print what was found, for people."""
    from functory.artefact.members import MANIFEST
    from functory.cli.facts import print_component, print_function
    from functory.machine.boundary import reading

    for position, facts in enumerate(told):
        if position:
            print()
        if "folder" in facts:
            with reading(MANIFEST, facts["folder"]):  # it holds what its maker wrote, of whatever form
                print_function(facts)
        else:
            print_component(facts)


COMMAND = Info()
