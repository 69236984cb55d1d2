"""How training is best done: variants of it beside each other on rows of train that none has seen: ``python bench/variants.py``.

A default is chosen here, and never on the rows that another benchmark answers: of each set a part of train is held out. Each
variant is an adaptation with options; seeds draw anew which rows it learns from. Seconds and steps are kept, so that the same
rows tell what a precision saves. Goes on where it was broken off. Looks for the data in the folder that DATA_SETS names.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
from cells.data import Rows, only, rows
from cells.scores import accuracy, macro_f1
from measure import RESULTS, build, keep, machine

from functory_sdk import Event, hookimpl

SETS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "sst2": ("text-classification", "minilm", ("text",)),
    "trec_questions": ("text-classification", "minilm", ("text",)),
    "financial_phrasebank": ("text-classification", "minilm", ("text",)),
    "ag_news": ("text-classification", "minilm", ("text",)),
    "banking77": ("text-classification", "minilm", ("text",)),
    "sick": ("text-pair", "minilm", ("text_a", "text_b")),
    "tnews": ("text-classification", "e5", ("text",)),
    "chnsenticorp_hotel": ("text-classification", "e5", ("text",)),
    "ocnli": ("text-pair", "e5", ("text_a", "text_b")),
}
"""Each set's task, backbone and fields."""
HELD = 1000
"""Rows of train that are answered, and never learned from."""
AS_TRAINER = {"epochs": 3, "batch_rows": 16, "learning_rate": 1e-4}
VARIANTS: dict[str, dict[str, Any]] = {
    "full": {"name": "full", **AS_TRAINER},
    "full, head first": {"name": "full", **AS_TRAINER, "head_first": True},
    "full, head as drawn": {"name": "full", **AS_TRAINER, "head_first": False},
    "full, all layers": {"name": "full", **AS_TRAINER, "layers": True, "head_first": False},
    "full, 3e-5": {"name": "full", **AS_TRAINER, "learning_rate": 3e-5, "head_first": False},
    "full, 2e-4": {"name": "full", **AS_TRAINER, "learning_rate": 2e-4, "head_first": False},
    "lora": {"name": "lora"},
    "lora, 1e-3": {"name": "lora", "learning_rate": 1e-3},
    "lora, 5e-4": {"name": "lora", "learning_rate": 5e-4},
    "lora, head as drawn": {"name": "lora", "head_first": False},
    "lora, rank 32": {"name": "lora", "rank": 32, "alpha": 64.0},
    "head": {"name": "head"},
    "auto": {"name": "auto"},
}
FILE = RESULTS / "variants.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", help="which; all when none is named")
    parser.add_argument("--variants", nargs="*", default=["full, head first", "full, head as drawn", "lora"])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--rows", type=int, default=2000, help="training rows at most")
    parser.add_argument("--precisions", nargs="*", default=["bf16"], help="fp32, bf16")
    args = parser.parse_args()
    for names, known, what in ((args.sets, SETS, "set"), (args.variants, VARIANTS, "variant")):
        if unknown := sorted({*names} - {*known}):
            parser.error(f"there is no {what} {unknown[0]!r}. do: choose among {', '.join(known)}")
    found = json.loads(FILE.read_text(encoding="utf-8"))["rows"] if FILE.exists() else []
    for seed in args.seeds:
        for name in args.sets or SETS:
            for variant in args.variants:
                for precision in args.precisions:
                    about = {"set": name, "variant": variant, "precision": precision, "rows": args.rows, "seed": seed}
                    if not any(about.items() <= row.items() for row in found):
                        found.append(about | measured(**about))
                        print(found[-1], flush=True)
                        keep("variants", found)


def measured(*, set: str, variant: str, precision: str, rows: int, seed: int) -> dict[str, Any]:
    """Return how a variant does on rows of train that it has not seen."""
    task, backbone, _ = SETS[set]
    train, held = parted(set, rows, seed)
    options = dict(VARIANTS[variant])
    if "layers" in options:
        options["layers"] = 6 if backbone == "minilm" else 12
    own = {} if options["name"] in ("auto", "head") else {"precision": precision}
    shares = {} if options["name"] == "auto" else {"dev_share": 0.0}
    started = time.perf_counter()
    watch = Watch()
    fn = build(
        task=task, train=train, backbone=backbone, test_share=0.0, seed=seed, adaptation={**options, **own}, hooks=[watch],
        **shares,
    )
    seconds = time.perf_counter() - started
    inputs = {field: [row[field] for row in held] for field in SETS[set][2]}
    answers, right = [output.label for output in fn.map(inputs)], [row["label"] for row in held]
    everything, fit = np.arange(len(held)), fn.about.data["fit"]
    return {
        "accuracy": accuracy(answers, right)(everything), "macro_f1": macro_f1(answers, right)(everything),
        "learned": len(train), "steps": int(fit.get("steps", 0)), "seconds": round(seconds, 1),
        "step_seconds": watch.step_seconds, "chosen": fn.form.adaptation.name,
        "machine": machine(),
    }  # fmt: skip


class Watch:
    """Notes what each step of an optimiser costs, in seconds of the processor: others may use the machine too."""

    def __init__(self) -> None:
        self.at: list[float] = []

    @hookimpl
    def progress(self, event: Event) -> None:
        if event.kind == "step":
            self.at.append(time.process_time())

    @property
    def step_seconds(self) -> float | None:
        """The median of a step."""
        return round(float(np.median(np.diff(self.at))), 4) if len(self.at) > 1 else None


def parted(name: str, limit: int, seed: int) -> tuple[Rows, Rows]:
    """Return rows of train to learn from, drawn by the seed, and those that are held out, the same for every seed."""
    found = only(rows(name, "train"), *SETS[name][2], "label")
    order = np.random.default_rng(7).permutation(len(found))
    others = np.random.default_rng(seed).permutation(order[HELD:])[:limit]
    return [found[place] for place in others], [found[place] for place in order[:HELD]]


if __name__ == "__main__":
    main()
