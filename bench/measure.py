"""Times things side by side in one run, interleaved, and keeps the results.

Machines differ and are shared: a ratio of medians from one run is what counts, never a second.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import functory
from functory.running.replays import cpu, has_amx, versions

RESULTS = Path(__file__).parent / "results"
DEVICE = os.environ.get("BENCH_DEVICE", "cpu")
"""Where ours and the peers of the quality tables are trained and run: cpu, cuda."""
TRAINED = "bf16" if DEVICE == "cpu" and has_amx() else "fp32"
"""The precision in which all weights of an encoder learn here, on both sides: ours takes it where nobody says otherwise."""
PACKAGES = (
    "functory",
    "torch",
    "transformers",
    "peft",
    "openvino",
    "onnxruntime",
    "nncf",
    "scikit-learn",
    "numpy",
    "tokenizers",
)


def build(**recipe: Any) -> functory.Function:
    """Build a function without a report, on the device of this run."""
    return functory.build(report=False, **recipe, session={"device": DEVICE})


def machine() -> str:
    """Return the processor, and the accelerator where this run is on one."""
    if DEVICE == "cpu":
        return cpu()
    import torch

    return f"{torch.cuda.get_device_name(DEVICE)} beside {cpu()}"


def interleaved(
    work: Mapping[str, Callable[[], Any]], repeats: int, *, warm: bool = True, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Run each piece of work `repeats` times, in turns, and return its seconds.

    :param clock: what tells them: `time.process_time` for work of one thread, where others use the machine too.
    """
    if warm:
        for run in work.values():
            run()
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(repeats):
        for name, run in work.items():
            started = clock()
            run()
            seconds[name].append(clock() - started)
    return seconds


def median(values: list[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def keep(name: str, rows: list[dict[str, Any]], notes: str = "") -> Path:
    """Write a benchmark's rows with date, versions and processor, and print them as a table."""
    file, told = RESULTS / f"{name}.json", about()
    write(file, {**told, "notes": notes, "rows": rows})
    print(f"\n{name}, {told['date']}, {told['cpu']}")
    show(rows)
    if notes:
        print(notes)
    return file


def show(rows: list[dict[str, Any]]) -> None:
    """Print rows as a table."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = [columns, *([_cell(row.get(key, "")) for key in columns] for row in rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(columns))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def about() -> dict[str, Any]:
    """Return when something is measured, on which processor and by which versions."""
    return {"date": dt.date.today().isoformat(), "cpu": machine(), "versions": versions(PACKAGES)}


def write(file: Path, kept: Mapping[str, Any]) -> None:
    """Write what was measured, whole or not at all."""
    file.parent.mkdir(exist_ok=True)
    made = file.with_suffix(".part")
    made.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    made.replace(file)


def kept_parts(file: Path) -> dict[str, dict[str, Any]]:
    """Return what is kept by names, of parts or of rows; nothing where there is no file yet."""
    found: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found


def keep_part(file: Path, name: str, rows: list[dict[str, Any]], notes: str = "") -> dict[str, dict[str, Any]]:
    """Keep one part's rows; the others stay. Return all."""
    kept = {**kept_parts(file), name: {**about(), "notes": notes, "rows": rows}}
    write(file, kept)
    return kept


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def verdict(ratio: float, goal: float, *, is_most: bool = False) -> str:
    """Say whether a ratio reaches its goal: at least that, or at most."""
    is_reached = ratio <= goal if is_most else ratio >= goal
    return f"{'reached' if is_reached else 'NOT reached'} (goal {'at most ' if is_most else ''}{goal:g}×)"
