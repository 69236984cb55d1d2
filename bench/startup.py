"""How long functory takes to start, beside the bare interpreter, in one run: ``python bench/startup.py``.

The commands take turns, so that a busy moment of the machine meets all of them. The goals are differences to
the bare interpreter's median: 60 ms for an import and ``--version``, 150 ms for ``list``, 1 ms for each of a
hundred plugins more.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import keep

PLUGINS = 100
VERB = "import sys; from functory.cli import main; sys.exit(main({arguments}))"
COMMANDS = {
    "the bare interpreter": ("pass", None),
    "import functory": ("import functory", 60.0),
    "functory --version": (VERB.format(arguments=["--version"]), 60.0),
    "functory list": (VERB.format(arguments=["list"]), 150.0),
    "functory list, 100 more plugins": (VERB.format(arguments=["list"]), 150.0 + PLUGINS),
    "importlib.metadata, 100 more plugins": (
        "from importlib.metadata import entry_points; list(entry_points(group='functory.tasks'))",
        None,
    ),
}
"""What is measured, the code of each, and how many milliseconds it may take beyond the bare interpreter."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=31, help="runs of each command (31 by default)")
    parser.add_argument("--json", action="store_true", help="print what a program can read")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="functory-startup-") as folder:
        install_plugins(Path(folder))
        seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for run in range(args.runs + 1):
            for name, (code, _) in COMMANDS.items():
                took = measure(code, folder if "more plugins" in name else "")
                if run:  # the first one fills the disk cache and writes byte code
                    seconds[name].append(took)
    medians = {name: statistics.median(values) * 1000 for name, values in seconds.items()}
    if args.json:
        print(json.dumps({"milliseconds": medians, "runs": args.runs}, indent=2))
    bare = medians["the bare interpreter"]
    if not args.json:
        report(medians)
        rows = [{"what": name, "milliseconds": took, "beyond_bare": took - bare} for name, took in medians.items()]
        keep("startup", rows, f"medians of {args.runs} runs, in turns.")
    return int(any(limit is not None and medians[name] - bare > limit for name, (_, limit) in COMMANDS.items()))


def measure(code: str, folder: str) -> float:
    """Run some code in a new interpreter and return the seconds until it ended."""
    environment = {**os.environ, "PYTHONPATH": folder}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def install_plugins(folder: Path) -> None:
    """Put a hundred plugins into a folder: one imports torch, one crashes, if anybody imports them."""
    for number in range(PLUGINS):
        source = {0: "import torch\n", 1: "import os\nos._exit(1)\n"}.get(number, "class Thing: ...\n")
        (folder / f"functory_bench_{number}.py").write_text(source)
        metadata = folder / f"functory_bench_{number}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: functory-bench-{number}\nVersion: 1.0\nSummary: Plugin {number}\n"
        )
        (metadata / "entry_points.txt").write_text(
            f"[functory.tasks]\nbench{number} = functory_bench_{number}:Thing\n"
            "[functory.contract]\n1 = functory_sdk:CONTRACT\n"
        )


def report(medians: dict[str, float]) -> None:
    """Print medians, differences and ratios to the bare interpreter, and what is allowed."""
    bare = medians["the bare interpreter"]
    print(f"{'':38}{'median':>10}{'beyond bare':>14}{'ratio':>8}{'allowed':>12}")
    for name, (_, limit) in COMMANDS.items():
        allowed = f"{limit:9.0f} ms" if limit is not None else ""
        took = medians[name]
        print(f"{name:38}{took:7.1f} ms{took - bare:11.1f} ms{took / bare:8.2f}{allowed:>12}")
    more = medians["functory list, 100 more plugins"] - medians["functory list"]
    print(f"{'each further plugin':38}{more / PLUGINS:7.2f} ms{'':22}{1:9.0f} ms")


if __name__ == "__main__":
    sys.exit(main())
