"""``python scripts/kills.py save`` (or ``train``): kill -9 at many seeded moments, more than CI has the time for.

`tests/test_kills.py` runs a bounded sample of the same; this one is run by hand, before a release or after a change to
how things are written. It prints what the killed processes left, and ends with 1 at the first thing that is none of
those that may be left. The same seed kills at the same moments.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))


def save(kills: int, seed: int) -> None:
    """Kill saves of a trained form and of an engine's, and packagings: as many each as is asked for, by their weight."""
    killing: Any = import_module("killing")  # what the tests use too
    run = killing.Processes()
    parts = {"save": kills - 2 * (kills // 5), "optimize's save": kills // 5, "package": kills // 5}
    for name, count in parts.items():
        with tempfile.TemporaryDirectory() as folder:
            place, begun = Path(folder), time.monotonic()
            (place / "kills").mkdir()
            if name == "save":
                found = killing.save_kills(run, place / "kills", count, seed)
            elif name == "package":
                found = killing.package_kills(run, place / "kills", count, seed)
            else:
                assert run("optimize", str(place))[0] == 0
                found = killing.save_kills(run, place / "kills", count, seed, "save_again", str(place / "optimized"))
            told = ", ".join(f"{number} {what}" for what, number in sorted(found.items()))
            print(f"{name}: {told}; {time.monotonic() - begun:.0f} s", flush=True)


def train(kills: int, seed: int) -> None:
    """Kill builds with lora, full and head, some beside another build of the same, and let them go on."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        processes = import_module("killing").Processes()
        found = import_module("killing_builds").build_kills(processes, Path(folder), kills, seed)
        told = ", ".join(f"{number} {what}" for what, number in sorted(found.items()))
        print(f"builds: {told}; {time.monotonic() - begun:.0f} s", flush=True)


WHAT: dict[str, Callable[[int, int], None]] = {"save": save, "train": train}
"""What can be killed."""


def main() -> int:
    """Kill what is asked for, with a cache of its own; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=sorted(WHAT), help="what is killed")
    parser.add_argument("--kills", type=int, default=150, help="how often (150)")
    parser.add_argument("--seed", type=int, default=1, help="which moments (1)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        os.environ |= {"FUNCTORY_CACHE": cache, "FUNCTORY_QUIET": "1"}
        try:
            WHAT[args.what](args.kills, args.seed)
        except AssertionError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
