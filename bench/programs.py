"""Programs that are written (humaneval, mbpp), by their tests: ``python bench/programs.py``, or with names of data.

Each code runs behind the walls of `functory_code`. The right solutions stand beside, which shows that the walls let all pass
that is right; then SmolLM2 as it is and, for mbpp, taught by LoRA on the training problems. With ``--samples 10 --temperature
0.6`` pass@5 and pass@10 are told too. Looks for the data in the folder that DATA_SETS names.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from cells.data import NotHere, Row, rows
from measure import build
from written import Table

from functory_code import Code, CodeOptions, CodeWriting, Tested, Wanted
from functory_sdk import State

DATA = ("humaneval", "mbpp")


def problem(row: Row, data: str) -> Tested:
    """Return a row as an example: humaneval's begins the code, mbpp's is a sentence, which names nothing without a test."""
    common = {"reference": row["canonical_solution"], "test": row["test"], "entry": row["entry_point"]}
    if data == "humaneval":
        return Tested(start=row["prompt"], **common)
    first = row["test"].splitlines()[0]
    return Tested(text=f"{row['prompt']}\n\nIt should pass this test: {first}", **common)


def answered(function: Any, test: Sequence[Tested]) -> list[Code]:
    """Return what a function writes for each problem."""
    return list(function.map([Wanted(text=one.text, start=one.start) for one in test]))


def right(test: Sequence[Tested]) -> list[Code]:
    """Return the solutions that came with the problems."""
    codes = [one.start + one.reference for one in test]
    return [Code(text=code, code=code, is_valid=True, tokens=0, finish="end") for code in codes]


def measure(table: Table, data: str, args: argparse.Namespace) -> None:
    """Add the rows of one set of problems."""
    test = [problem(row, data) for row in rows(data, "test", args.test)]
    train = [problem(row, data).model_dump() for row in rows(data, "train")] if data == "mbpp" else []
    task = {"name": "code", "max_new_tokens": args.tokens, "samples": args.samples, "temperature": args.temperature}
    lora = {"name": "lora", "most_steps": args.steps}
    methods = {
        "the solutions": lambda: right(test),
        "smollm2": lambda: answered(build(task=task, backbone="smollm2"), test),
        "smollm2, lora": lambda: answered(build(task=task, train=train, backbone="smollm2", adaptation=lora), test),
    }
    measuring = CodeWriting(CodeOptions(allow_execution=True, seconds=args.seconds))
    for method in args.methods or [*methods][: 3 if train else 2]:
        kept: list[Code] = []

        def write(method: str = method, kept: list[Code] = kept) -> list[str]:
            kept.extend(methods[method]())
            return [one.code for one in kept]

        about = {"data": data, "test": len(test), "train": len(train) if method == "smollm2, lora" else 0, "method": method}
        table.add(about, write, lambda _, kept=kept: measuring.scorer(kept, test, State()), "pass@1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", help="humaneval or mbpp; both when none is named")
    parser.add_argument("--test", type=int, default=40, help="problems of each")
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--steps", type=int, default=60, help="of training at most")
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--seconds", type=int, default=5, help="of processor time that a code may take")
    parser.add_argument("--methods", nargs="*", help="some of the methods, as the table names them")
    args = parser.parse_args()
    if unknown := [name for name in args.data if name not in DATA]:
        parser.error(f"there are no problems {unknown[0]!r}. do: choose among {', '.join(DATA)}")
    notes = f"at most {args.tokens} tokens; {args.steps} steps of training; intervals by bootstrap over the problems"
    table = Table("programs", notes)
    for data in args.data or DATA:
        try:
            measure(table, data, args)
        except NotHere as missing:
            print(f"skipped: {missing}")


if __name__ == "__main__":
    main()
