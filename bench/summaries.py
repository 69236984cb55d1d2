"""Summaries of dialogues (dialogsum) and subject lines of e-mails (aeslc): ``python bench/summaries.py``, or with names of sets.

On the same test rows, against one reference each: the first sentences, the text's own central sentences (MiniLM), SmolLM2 as it
is, and SmolLM2 taught by LoRA. dialogsum's training file is not here: its dev teaches. ROUGE is the SDK's, F1 without stemming.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from cells.data import NotHere, Row, rows
from measure import build
from written import Table

from functory_sdk import rouge_scorer, sentence_spans

SETS = {"dialogsum": ("dev", 3, 60), "aeslc": ("train", 1, 24)}
"""Of each data set the side that teaches, how many sentences a summary has, and how many tokens at most."""


def leading(text: str, count: int) -> str:
    """Return the first sentences of a text."""
    return " ".join(text[start:end] for start, end in sentence_spans(text)[:count])


def texts_of(function: Any, found: Sequence[Row]) -> list[str]:
    """Return what a function makes of each document."""
    return [output.text for output in function.map([row["document"] for row in found])]


def measure(table: Table, name: str, args: argparse.Namespace) -> None:
    """Add the rows of one data set."""
    side, sentences, tokens = SETS[name]
    test, train = rows(name, "test", args.test), rows(name, side, args.train)
    taught = [{"text": row["document"], "summary": row["summary"]} for row in train]
    references = [row["summary"] for row in test]
    written = {"name": "summarization", "max_new_tokens": tokens}
    lora = {"name": "lora", "most_steps": args.steps}
    methods = {
        f"the first {sentences}": lambda: [leading(row["document"], sentences) for row in test],
        "own sentences, minilm": lambda: texts_of(
            build(task={"name": "summarization", "sentences": sentences}, backbone="minilm"), test
        ),
        "smollm2": lambda: texts_of(build(task={**written, "sentences": sentences}, backbone="smollm2"), test),
        "smollm2, lora": lambda: texts_of(build(task=written, train=taught, backbone="smollm2", adaptation=lora), test),
    }
    for method in args.methods or methods:
        about = {"set": name, "test": len(test), "train": len(train) if "lora" in method else 0, "method": method}
        table.add(about, methods[method], lambda texts: rouge_scorer(texts, references), "rougeL")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", help=f"{' or '.join(SETS)}; both when none is named")
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--train", type=int, default=500)
    parser.add_argument("--steps", type=int, default=200, help="of training at most")
    parser.add_argument("--methods", nargs="*", help="some of the methods, as the table names them")
    args = parser.parse_args()
    if unknown := [name for name in args.sets if name not in SETS]:
        parser.error(f"there is no set {unknown[0]!r}. do: choose among {', '.join(SETS)}")
    table = Table("summaries", f"at most {args.steps} steps of training; intervals by bootstrap over the rows")
    for name in args.sets or SETS:
        try:
            measure(table, name, args)
        except NotHere as missing:
            print(f"skipped: {missing}")


if __name__ == "__main__":
    main()
