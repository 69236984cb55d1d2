"""How fast a head is trained, beside transformers' Trainer: ``python bench/training.py``.

Goals: `head` at least 10× faster than Trainer with a frozen backbone to the same accuracy; ten epochs on
stored features at least 10× faster than the same epochs that run the backbone each time.
"""

from __future__ import annotations

import argparse
import shutil
import time

import numpy as np
from measure import keep, verdict
from peers import classifier, fine_tuned, folder, tokenized

import functory
from functory.data import read
from functory.machine.places import cache
from functory_head import HeadOnly


class WholePass(HeadOnly):
    """`head` without the store: every epoch runs the backbone again."""

    def cut(self, spec: object) -> None:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=2000)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args()
    rows = [dict(record.values) for record in read("samples:rotten-tomatoes")]
    train, test = rows[: args.train], rows[args.train : args.train + args.test]
    functory.build(task="text-classification", train=train[:50], backbone="minilm", adaptation="head", report=False)  # imports
    results, took = [], {}

    def ours(name: str, component: str = "head", **options: object) -> None:
        shutil.rmtree(cache("features"), ignore_errors=True)
        started = time.perf_counter()
        fn = functory.build(
            task="text-classification", train=train, backbone="minilm", dev_share=0.05, test_share=0.0,
            adaptation={"name": component, **options}, report=False,
        )  # fmt: skip
        took[name] = time.perf_counter() - started
        results.append({"what": name, "seconds": took[name], "accuracy": fn.evaluate(test).metrics["accuracy"].value})

    ours("head, L-BFGS")
    loop = {"solver": "epochs", "epochs": args.epochs, "patience": 1000}
    ours(f"head, {args.epochs} epochs on stored features", **loop)
    ours(f"head, {args.epochs} epochs without the store", f"{__file__}:WholePass", **loop)
    for rate in (1e-3, 1e-2):
        name = f"Trainer, frozen backbone, {args.epochs} epochs, learning rate {rate:g}"
        started = time.perf_counter()
        accuracy = trainer(train, test, args.epochs, rate)
        took[name] = time.perf_counter() - started
        results.append({"what": name, "seconds": took[name], "accuracy": accuracy})
    peers = {row["what"]: row for row in results if row["what"].startswith("Trainer")}
    best = max(peers.values(), key=lambda row: row["accuracy"])
    head = best["seconds"] / took["head, L-BFGS"]
    stored = took[f"head, {args.epochs} epochs on stored features"]
    same, peer = took[f"head, {args.epochs} epochs without the store"] / stored, best["seconds"] / stored
    keep(
        "training",
        results,
        f"head {head:.1f}× faster than Trainer: {verdict(head, 10)}; the epoch loop on stored features {same:.1f}× "
        f"faster than the same epochs without the store: {verdict(same, 10)}; {peer:.1f}× faster than Trainer's. "
        "Seconds hold everything: tokens, the pass over the backbone, the fit.",
    )


def trainer(train: list[dict], test: list[dict], epochs: int, rate: float) -> float:
    """Train the classifier's linear layer by transformers' Trainer and return its accuracy."""
    from transformers import AutoTokenizer, DataCollatorWithPadding

    labels = tuple(sorted({row["label"] for row in train}))
    model = classifier(labels)
    for parameter in model.bert.parameters():
        parameter.requires_grad_(False)
    tokenizer = AutoTokenizer.from_pretrained(folder(), model_max_length=512)

    scores, gold = fine_tuned(
        model, *(tokenized(rows, tokenizer, labels) for rows in (train, test)), DataCollatorWithPadding(tokenizer),
        num_train_epochs=epochs, learning_rate=rate,
        per_device_train_batch_size=32, per_device_eval_batch_size=32, train_sampling_strategy="group_by_length",
    )  # fmt: skip
    return float((np.argmax(scores, -1) == gold).mean())


if __name__ == "__main__":
    main()
