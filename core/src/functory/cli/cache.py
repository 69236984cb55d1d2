"""``functory cache``: what lies in the cache, how large it is, and clearing it."""

from __future__ import annotations

import os
import shutil
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from functory.cli import SUMMARIES
from functory.cli.output import print_columns, print_json, say, size
from functory.contracts.command import Command
from functory.errors import FunctoryError, UsageError
from functory.machine import places


class Cache(Command):
    """Show or clear the cache."""

    help = SUMMARIES["cache"]
    example = "functory cache\nfunctory cache clear features --yes"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "action", nargs="?", choices=("show", "clear"), default="show", help="show by default"
        )
        parser.add_argument("area", nargs="?", help="one area of the cache; all of them when not given")
        parser.add_argument("--yes", action="store_true", help="clear without asking")

    def run(self, args: Namespace) -> int:
        root = places.cache_root()
        found = areas(root)
        if args.area is not None:
            if args.area not in found:
                raise UsageError(
                    f"the cache has no area {args.area!r}.",
                    where=str(root),
                    do=f"it has: {', '.join(found) or 'none'}.",
                )
            found = {args.area: found[args.area]}
        if args.action == "clear":
            return _clear(root, found, args)
        if args.json:
            print_json({"folder": str(root), "bytes": sum(found.values()), "areas": found})
            return 0
        say(f"{root}  {size(sum(found.values()))}")
        print_columns((name, size(count)) for name, count in found.items())
        return 0


def areas(root: Path) -> dict[str, int]:
    """Return the cache's areas, which are its folders, and the bytes in each."""
    if not root.is_dir():
        return {}
    return {folder.name: _bytes(folder) for folder in sorted(root.iterdir()) if folder.is_dir()}


def clear(root: Path, area: str) -> None:
    """Delete one area.

    :raises FunctoryError: the folder is not a cache that functory made.
    """
    if not places.is_cache(root):
        raise FunctoryError(
            f"{root} has no {places.TAG} of functory's, may be somebody's folder, and is left alone.",
            where="$FUNCTORY_CACHE" if os.environ.get("FUNCTORY_CACHE") else "",
            do="point FUNCTORY_CACHE to an empty folder, or delete the area by hand.",
        )
    folder = root / area
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)


def _clear(root: Path, found: dict[str, int], args: Namespace) -> int:
    """Clear some areas, after asking."""
    if found and not args.yes and not _agreed(root, found):
        print("nothing was cleared.", file=sys.stderr)
        return 1
    for area in found:
        clear(root, area)
    if args.json:
        print_json({"folder": str(root), "cleared": found})
    else:
        say(f"cleared {', '.join(found) or 'nothing'} ({size(sum(found.values()))}).")
    return 0


def _agreed(root: Path, found: dict[str, int]) -> bool:
    """Ask on the terminal.

    :raises UsageError: there is no terminal to ask on.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on before clearing.", where=str(root), do="say --yes.")
    print(
        f"clear {', '.join(found)} ({size(sum(found.values()))}) in {root}? [y/N] ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _bytes(folder: Path) -> int:
    """Return the bytes of a folder's files; links are not followed, a file that vanishes counts nothing."""
    total = 0
    for base, _, files in os.walk(folder):
        for file in files:
            try:
                total += Path(base, file).lstat().st_size
            except OSError:
                continue
    return total


COMMAND = Cache()
