"""A function over rows by Ray Data on this machine, beside `map` in this process: what a worker costs, what a second one brings.

In the environment of the peer: python scripts/environments.py ray bench/cluster.py. The ways take turns, so that what else the
machine does meets each of them; only their ratios say something.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import functory
import functory_ray
from functory.data import read

RESULTS = Path(__file__).parent / "results" / "cluster.json"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=400, help="of the smaller data set; the larger has four times as many")
    arguments.add_argument("--rounds", type=int, default=3)
    args = arguments.parse_args()
    import ray

    rows = [record.values for record in read("samples:rotten-tomatoes")[: 4 * args.rows]]
    sizes = {size: [str(row["text"]) for row in rows[:size]] for size in (args.rows, 4 * args.rows)}
    with TemporaryDirectory() as place:
        made = functory.build(
            task="text-classification", train=rows[:200], backbone="minilm", adaptation="head", report=False, name="sentiment"
        )
        folder = made.save(Path(place) / "function")
        own = functory.load(folder, threads=1)
        list(own.map(sizes[args.rows], progress=False))
        ray.init(num_cpus=2, log_to_driver=False)
        ways: dict[str, Callable[[list[str]], Any]] = {
            "map": lambda texts: list(own.map(texts, progress=False)),
            **{f"ray {workers}": partial(mapped, folder, workers) for workers in (1, 2)},
        }
        seconds: dict[str, dict[int, list[float]]] = {name: {size: [] for size in sizes} for name in ways}
        for _ in range(args.rounds):
            for size, texts in sizes.items():
                for name, way in ways.items():
                    begun = time.perf_counter()
                    way(texts)
                    seconds[name][size].append(time.perf_counter() - begun)
        ray.shutdown()
    least, most = sizes
    medians = {name: {size: median(some) for size, some in own.items()} for name, own in seconds.items()}
    rates = {name: (most - least) / (own[most] - own[least]) for name, own in medians.items()}  # without what begins
    starts = {name: own[least] - least / rates[name] for name, own in medians.items()}
    found = {"seconds": seconds, "rows_per_second": rates, "start_seconds": starts}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def mapped(folder: Path, workers: int, texts: list[str]) -> None:
    """Run a function over texts by so many workers, which begin for it."""
    import ray

    data = ray.data.from_items([{"text": text} for text in texts], override_num_blocks=8)
    functory_ray.map(folder, data, workers=workers, batch=len(texts) // 8).materialize()


if __name__ == "__main__":
    main()
