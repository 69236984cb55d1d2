"""The quality table: every task on real data, beside peers: ``make bench-quality``, or ``python bench/table.py trec snli``.

A row is a data set: what a program that reads nothing gets, a simple peer without any pretrained model, ours by the
default call with its interval and seconds, and the peer on the same backbone, rows and steps with the better of two
learning rates. Differences are ours less the peer's, with the interval of the paired bootstrap. Rows that are kept are
not measured again; long ones run where they are asked for by name, as does ``--again``. ``BENCH_DEVICE=cuda`` trains and asks
both sides on an accelerator; each row says on which machine ours ran, and the peer.
"""

from __future__ import annotations

import argparse
from typing import Any

from cells.cell import Cell
from cells.data import NotHere
from cells.same import RATES
from cells.table import CELLS
from measure import RESULTS, TRAINED, about, kept_parts, write

FILE = RESULTS / "quality_table.json"
SHOWN = (
    "cell", "language", "metric", "train", "majority", "simple", "ours", "low", "high", "seconds", "same", "verdict",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cells", nargs="*", help="which; all that are not long when none is named")
    parser.add_argument("--peers", action="store_true", help="let the peers answer alone, and remember what they say")
    parser.add_argument("--again", action="store_true", help="measure rows that are kept, too")
    args = parser.parse_args()
    if unknown := [name for name in args.cells if name not in CELLS]:
        parser.error(f"there is no cell {unknown[0]!r}. do: choose among {', '.join(CELLS)}")
    kept = kept_parts(FILE)
    for name in args.cells or CELLS:
        cell = CELLS[name]()
        if args.peers and (args.cells or not cell.is_long):
            ahead(cell)
            continue
        if (name in kept and not args.again) or (cell.is_long and not args.cells):
            continue
        print(f"== {name}", flush=True)
        try:
            row = cell.measure(RATES)
        except NotHere as error:
            print(f"  skipped: {error}", flush=True)
            continue
        kept[name] = {**row, "verdict": verdict(row), "trained": TRAINED, **about()}
        write(FILE, kept)
    show([kept[name] for name in CELLS if name in kept])


def ahead(cell: Cell) -> None:
    """Let a cell's peer answer, so that a measurement of ours alone waits for nothing later."""
    try:
        tried = cell.peer(*cell.load(), RATES)
    except NotHere as error:
        print(f"  skipped: {error}", flush=True)
    else:
        print(f"{cell.name}: {', '.join(f'{one.seconds:.0f} s' for one in tried) or 'no peer'}", flush=True)


def verdict(row: dict[str, Any]) -> str:
    """Say whether ours is below the simple peer, or clearly below the peer on the same backbone."""
    below = []
    if row["less_simple"] < 0:
        below.append(f"below {row['simple_peer']}")
    if row.get("less_same_high", 0.0) < 0:
        below.append(f"below {row['same_peer']} beyond the interval")
    return " and ".join(below) or "holds"


def show(found: list[dict[str, Any]]) -> None:
    """Print the table."""
    table = [SHOWN, *(tuple(_cell(row.get(name, "")) for name in SHOWN) for row in found)]
    widths = [max(len(row[place]) for row in table) for place in range(len(SHOWN))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
