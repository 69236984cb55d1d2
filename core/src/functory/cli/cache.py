"""``functory cache``: what lies in the cache, how large it is, its bound, and clearing it."""

from __future__ import annotations

import math
import os
import re
import shutil
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path

from functory.cli import SUMMARIES
from functory.cli.output import print_columns, print_json, say, size
from functory.contracts.command import Command
from functory.errors import FunctoryError, UsageError
from functory.machine import configuration, places, trimming
from functory.machine.storage import telling
from functory.machine.trimming import Kept
from functory.terminal import tell

_SECONDS = {"h": 3600, "d": 86400, "w": 7 * 86400}


class Cache(Command):
    """Show or clear the cache."""

    help = SUMMARIES["cache"]
    example = (
        "functory cache\nfunctory cache show features\nfunctory cache clear features --older-than 30d\n"
        "functory cache clear weights --yes"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "action", nargs="?", choices=("show", "clear"), default="show", help="show by default"
        )
        parser.add_argument(
            "area", nargs="?", help="one area of the cache, or one entry of it (features/1f0c…); all areas when not given"
        )
        parser.add_argument("--older-than", metavar="AGE", help="clear what was not used for so long: 12h, 30d, 4w")
        parser.add_argument("--yes", action="store_true", help="clear without asking")

    def run(self, args: Namespace) -> int:
        root = places.cache_root()
        area, _, entry = (args.area or "").rstrip("/").partition("/")
        found = _chosen(root, area, entry)
        if args.action == "clear":
            return _clear(root, found, entry, args)
        if args.older_than:
            raise UsageError("--older-than says what is cleared.", do="functory cache clear … --older-than 30d.")
        return _show(root, found, bool(area), args.json)


def areas(root: Path) -> dict[str, list[Kept]]:
    """Return what lies in each of the cache's areas, which are its folders, the longest unused first."""
    try:
        folders = sorted(folder for folder in root.iterdir() if folder.is_dir())
    except OSError:  # none, a file in its place, or one that may not be read
        return {}
    return {folder.name: trimming.lying(folder) for folder in folders}


def clear(root: Path, area: str) -> None:
    """Delete one area.

    :raises FunctoryError: the folder is not a cache that functory made.
    """
    _check(root)
    folder = root / area
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)


def _check(root: Path) -> None:
    """Refuse to delete in a folder that may be somebody's.

    :raises FunctoryError: the folder is not a cache that functory made.
    """
    if not places.is_cache(root):
        raise FunctoryError(
            f"{root} has no {places.TAG} of functory's, may be somebody's folder, and is left alone.",
            where="$FUNCTORY_CACHE" if os.environ.get("FUNCTORY_CACHE") else "",
            do="point FUNCTORY_CACHE to an empty folder, or delete the area by hand.",
        )


def _chosen(root: Path, area: str, entry: str) -> dict[str, list[Kept]]:
    """Return what the command line means: all areas, one, or one entry of one.

    :raises UsageError: when it is not there.
    """
    found = areas(root)
    if not area:
        return found
    if area not in found:
        raise UsageError(
            f"the cache has no area {area!r}.", where=str(root), do=f"it has: {', '.join(found) or 'none'}."
        )
    if not entry:
        return {area: found[area]}
    begun = [one for one in found[area] if one.path.name.startswith(entry)]
    meant = [one for one in begun if one.path.name == entry] or begun
    if len(meant) != 1:
        what = f"{len(meant)} entries of {area!r} begin so" if meant else f"{area!r} has no entry {entry!r}"
        raise UsageError(f"{what}.", where=str(root / area), do=f"functory cache show {area} lists them.")
    return {area: meant}


def _show(root: Path, found: Mapping[str, list[Kept]], is_one: bool, as_json: bool) -> int:
    """Print what lies there: the areas, or the entries of one."""
    limit = configuration.cache_limit(root)
    if as_json:
        print_json(_described(root, found, is_one, limit))
        return 0
    bound = "no bound" if limit == math.inf else f"a bound of {size(int(limit))}"
    say(f"{root}  {size(sum(map(_bytes, found.values())))}")
    if is_one:
        rows: list[tuple[str, ...]] = [
            (one.path.name, size(one.size), f"used {_ago(one.used)}") for each in found.values() for one in each[::-1]
        ]
    else:
        rows = [
            (name, size(_bytes(each)), f"{_whole(each)} {'entry' if _whole(each) == 1 else 'entries'}",
             f"under {bound} together" if name in trimming.IDLE_SECONDS else "stays until it is cleared")
            for name, each in found.items()
        ]  # fmt: skip
    print_columns(rows)
    return 0


def _described(root: Path, found: Mapping[str, list[Kept]], is_one: bool, limit: float) -> dict[str, object]:
    """Return what lies there, for programs."""
    told: dict[str, object] = {
        "folder": str(root),
        "bytes": sum(map(_bytes, found.values())),
        "limit": None if limit == math.inf else int(limit),
        "areas": {
            name: {"bytes": _bytes(each), "entries": _whole(each), "is_bounded": name in trimming.IDLE_SECONDS}
            for name, each in found.items()
        },
    }
    if is_one:
        told["entries"] = [
            {"name": one.path.name, "bytes": one.size, "used": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one.used))}
            for each in found.values()
            for one in each
        ]
    return told


def _clear(root: Path, found: Mapping[str, list[Kept]], entry: str, args: Namespace) -> int:
    """Clear some areas, or some of their entries, after asking."""
    is_part = bool(entry or args.older_than)
    if args.older_than:
        before = time.time() - _age(args.older_than)
        found = {name: [one for one in each if one.used < before] for name, each in found.items()}
    held = [one for each in found.values() for one in each if not trimming.is_free(one.path)]
    for one in held:
        tell(f"{one.path} is in use by a build, and is left alone.")
    is_part = is_part or bool(held)
    if is_part:
        found = {name: [one for one in each if one not in held] for name, each in found.items()}
        found = {name: each for name, each in found.items() if each}
    counts = {name: _bytes(each) for name, each in found.items()}
    if found and not args.yes and not _agreed(root, counts):
        print("nothing was cleared.", file=sys.stderr)
        return 1
    _check(root)
    with telling(root, doing="the cache cannot be cleared"):
        for name, each in found.items():
            if not is_part:
                clear(root, name)
            for one in each if is_part else ():
                _remove(one.path)
    if args.json:
        print_json({"folder": str(root), "cleared": counts})
    else:
        say(f"cleared {', '.join(found) or 'nothing'} ({size(sum(counts.values()))}).")
    return 0


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        if not trimming.drop(path):  # in one step, where that goes
            shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _agreed(root: Path, counts: Mapping[str, int]) -> bool:
    """Ask on the terminal.

    :raises UsageError: there is no terminal to ask on.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on before clearing.", where=str(root), do="say --yes.")
    print(
        f"clear {', '.join(counts)} ({size(sum(counts.values()))}) in {root}? [y/N] ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _age(said: str) -> float:
    """Return the seconds of an age as people write it: ``30d``.

    :raises UsageError: when it is none.
    """
    found = re.fullmatch(r"(\d+)\s*([hdw])", said.strip().lower())
    if found is None:
        raise UsageError(f"{said!r} is no age.", where="--older-than", do="write 12h, 30d or 4w.")
    return float(found[1]) * _SECONDS[found[2]]


def _ago(used: float) -> str:
    """Return how long ago a moment was, for people."""
    hours = max(0.0, time.time() - used) / 3600
    if hours < 1:
        return "within the hour"
    return f"{hours:.0f} h ago" if hours < 48 else f"{hours / 24:.0f} days ago"


def _whole(found: list[Kept]) -> int:
    """Return how many entries there are; half-written ones are none."""
    return sum(not one.path.name.startswith(".") for one in found)


def _bytes(found: list[Kept]) -> int:
    return sum(one.size for one in found)


COMMAND = Cache()
