"""Runs every benchmark, one after the other: ``make bench``. Each prints its table and keeps it in bench/results."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from environments import environment

BENCHMARKS = {"startup": "", "throughput": "", "scoring": "", "decisions": "", "generation": "", "training": ""}
"""Each with the environment of its peers, where those are not in .venv."""


def main() -> int:
    chosen = sys.argv[1:] or BENCHMARKS
    failed = []
    for name in chosen:
        print(f"\n== bench/{name}.py", flush=True)
        peers = BENCHMARKS.get(name)
        python = environment(peers) if peers else sys.executable
        if subprocess.run([str(python), str(Path(__file__).with_name(f"{name}.py"))], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
