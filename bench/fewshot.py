"""Eight rows a class beside SetFit, on the same rows and backbone: ``python scripts/environments.py fewshot bench/fewshot.py``.

Each row of the table is a set and a seed: the default call, ``adaptation="contrastive"`` alone, and SetFit by its defaults, one
after the other in one run. Rows that are kept are not measured again, but for those who are named with ``--again``. SetFit's
pairs are capped to as many as ours sees, and its steps to ``--steps``, which the rows say where it bound.
Goals: in the mean over all rows at least SetFit's accuracy, in at most a fifth of its time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from cells.data import NotHere, Rows, only, rows
from cells.same import place_of
from measure import DEVICE, RESULTS, build, keep, verdict

SETS = {
    "sst2": "minilm",
    "ag_news": "minilm",
    "trec_questions": "minilm",
    "financial_phrasebank": "minilm",
    "fewclue_eprstmt": "e5",
    "banking77": "minilm",
}
"""Each set's backbone."""
FILE = RESULTS / "fewshot.json"
BATCH = 16
"""Pairs of a step of SetFit, its default."""
GOAL = 5
Answer = Callable[[Rows], list[str]]
Fitted = tuple[Answer, dict[str, Any]]
"""What answers, and what there is to say of the fit."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4], help="which draws of the rows")
    parser.add_argument("--who", nargs="+", default=list(WHO), choices=list(WHO))
    parser.add_argument("--again", action="store_true", help="measure anew who is kept, too")
    parser.add_argument("--test", type=int, default=1000, help="test rows at most")
    parser.add_argument("--steps", type=int, default=1600, help="SetFit's steps at most: 16 pairs each")
    args = parser.parse_args()
    kept: dict[tuple[str, int], dict[str, Any]] = {}
    if FILE.exists():
        kept = {(row["set"], row["seed"]): row for row in json.loads(FILE.read_text(encoding="utf-8"))["rows"]}
    run = int(time.time())
    is_warm = False
    for seed in args.seeds:
        for name in args.sets:
            row = kept.get((name, seed), {})
            wanted = [who for who in args.who if args.again or who not in row]
            if not wanted:
                continue
            if not is_warm:
                warm(args.steps)
                is_warm = True
            try:
                kept[name, seed] = row | measured(name, seed, wanted, args, run)
            except NotHere as error:
                print(f"skipped: {error}", flush=True)
                continue
            keep("fewshot", list(kept.values()), told(list(kept.values())))


def measured(name: str, seed: int, wanted: Sequence[str], args: argparse.Namespace, run: int) -> dict[str, Any]:
    """Return accuracy and seconds of each of those wanted, on rows that the seed draws.

    :raises NotHere: where the data set is not on this machine.
    """
    backbone = SETS[name]
    train = few(rows(name, "train"), seed)
    test = only(rows(name, "test", args.test), "text", "label")
    row: dict[str, Any] = {"set": name, "seed": seed, "backbone": backbone, "train": len(train), "test": len(test)}
    for who in wanted:
        started = time.perf_counter()
        answer, said = WHO[who](train, backbone, seed, args.steps)
        row[f"{who}_seconds"] = time.perf_counter() - started
        right = [answered == one["label"] for answered, one in zip(answer(test), test, strict=True)]
        row |= {who: float(np.mean(right)), f"{who}_run": run, **said}
    return row


def few(pool: Rows, seed: int, count: int = 8) -> Rows:
    """Return so many rows of each class, drawn by the seed."""
    seen: dict[str, int] = {}
    found: Rows = []
    for index in np.random.default_rng(seed).permutation(len(pool)):
        label = str(pool[index]["label"])
        if seen.get(label, 0) < count:
            seen[label] = seen.get(label, 0) + 1
            found.append({"text": pool[index]["text"], "label": label})
    return found


def default(train: Rows, backbone: str, seed: int, _: int) -> Fitted:
    """Build a function by the default call."""
    fn = build(task="text-classification", train=train, backbone=backbone, test_share=0, seed=seed)
    return _answering(fn), {"chosen": fn.form.adaptation.name}


def contrastive(train: Rows, backbone: str, seed: int, _: int) -> Fitted:
    """Build a function by `contrastive`, all rows training."""
    fn = build(
        task="text-classification", train=train, backbone=backbone, adaptation="contrastive", dev_share=0, test_share=0,
        seed=seed,
    )  # fmt: skip
    return _answering(fn), {}


def _answering(fn: Any) -> Answer:
    return lambda test: [output.label for output in fn.map([row["text"] for row in test])]


def setfit(train: Rows, backbone: str, seed: int, most: int) -> Fitted:
    """Train SetFit by its defaults on a sentence encoder of the same weights."""
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments
    from sklearn.linear_model import LogisticRegression

    torch.manual_seed(seed)
    labels = sorted({row["label"] for row in train})
    head = LogisticRegression(max_iter=1000)
    model = SetFitModel(model_body=sentence_encoder(backbone), model_head=head, labels=labels)
    pairs = min(pairs_of(train), seen(len(train)), BATCH * most)
    steps = -(-pairs // BATCH)
    capped = {"max_steps": steps} if pairs < pairs_of(train) else {}
    with tempfile.TemporaryDirectory() as place:
        arguments = TrainingArguments(
            output_dir=place, batch_size=BATCH, num_epochs=1, seed=seed, save_strategy="no", report_to="none",
            show_progress_bar=False, **capped,
        )  # fmt: skip
        Trainer(model=model, args=arguments, train_dataset=Dataset.from_list(train)).train()
    said = {"setfit_steps": steps, "setfit_capped": bool(capped)}
    return lambda test: [str(label) for label in model.predict([row["text"] for row in test])], said


def pairs_of(train: Rows) -> int:
    """Return how many pairs SetFit makes of the rows: of two of a label, each row with itself too, as many as of others."""
    counts = np.unique([row["label"] for row in train], return_counts=True)[1]
    alike = int((counts * (counts + 1) // 2).sum())
    return 2 * max(alike, len(train) * (len(train) + 1) // 2 - alike)


def seen(count: int) -> int:
    """Return how many pairs `contrastive` sees of so many rows: all that are in a step."""
    from functory_contrastive import ContrastiveOptions

    options = ContrastiveOptions()
    in_a_pass = max(1, round(count / options.batch_rows))
    size = count / in_a_pass
    return round(min(options.epochs * in_a_pass, options.most_steps) * size * (size - 1) / 2)


def sentence_encoder(backbone: str) -> Any:
    """Return the backbone's weights as sentence-transformers reads them: the mean of the states, at length 1."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, Pooling, Transformer

    states = Transformer(str(place_of(backbone)), max_seq_length=256)
    width = states.get_embedding_dimension()
    return SentenceTransformer(modules=[states, Pooling(width, "mean"), Normalize()], device=DEVICE)


WHO: dict[str, Callable[[Rows, str, int, int], Fitted]] = {
    "default": default, "contrastive": contrastive, "setfit": setfit
}  # fmt: skip


def told(found: Sequence[dict[str, Any]]) -> str:
    """Say of each of ours, over the rows that it has with SetFit, whether the goals are reached; times of one run alone."""
    lines = ["Seconds hold opening the backbone, training and the head; times are held beside those of the same run."]
    for who in ("default", "contrastive"):
        both = [row for row in found if who in row and "setfit" in row]
        if not both:
            continue
        own, other = (statistics.mean(row[name] for row in both) for name in (who, "setfit"))
        lines.append(f"{who}: {own:.3f}, SetFit {other:.3f} ({len(both)} rows): {'reached' if own >= other else 'NOT reached'}.")
        timed = [row for row in both if row[f"{who}_run"] == row["setfit_run"]]
        if timed:
            ratio = sum(row["setfit_seconds"] for row in timed) / sum(row[f"{who}_seconds"] for row in timed)
            each = statistics.geometric_mean(row["setfit_seconds"] / row[f"{who}_seconds"] for row in timed)
            lines.append(f"  {ratio:.1f}× as fast: {verdict(ratio, GOAL)}; {each:.1f}× in the mean of the rows' ratios.")
    return "\n".join(lines)


def warm(most: int) -> None:
    """Import what each needs, so that no one's seconds hold it."""
    texts = {"a": ("good", "fine", "nice", "glad"), "b": ("bad", "poor", "sad", "worse")}
    lines = [{"text": text, "label": label} for label, all_of_it in texts.items() for text in all_of_it]
    for fit in (contrastive, setfit):
        answer, _ = fit(lines, "minilm", 0, most)
        answer(lines)


if __name__ == "__main__":
    main()
