"""One adaptation by name, beside the same method in other hands: `head` and logistic regression on the same features, `lora`
and PEFT under Trainer, `full` and Trainer; the same rows, epochs, rows a batch and learning rate for both.

Apart from the other cells, where the default call is measured: a default that chooses among adaptations can hide a bad one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from cells import same, scores, simple
from cells.cell import Answers, Cell
from cells.data import Rows

RATES = {"lora": 2e-3, "full": 1e-4}
"""The defaults of both adaptations, for ours and the peer alike."""
STRENGTHS = (1.0, 0.1, 0.01, 0.001)
"""Inverse penalties of logistic regression, as scikit-learn counts them; the best one counts, and `head` chooses on folds."""


def method(sample: str, adaptation: str, language: str, backbone: str, train: int, test: int) -> Cell:
    """Return the cell of an adaptation on a sample of texts and labels."""

    def load() -> tuple[Rows, Rows]:
        rows = reviews(sample)
        return rows[:train], rows[-test:]

    peer, answers, rates = _peer(adaptation, backbone)
    trained = {} if adaptation == "head" else {"epochs": same.EPOCHS, "batch_rows": same.BATCH, "learning_rate": rates[0]}
    trained |= {"head_first": False} if adaptation == "full" else {}  # Trainer's head is as it is drawn, too
    return Cell(
        f"{sample}, {adaptation}", language, "accuracy", "text-classification", load, gold=lambda row: str(row["label"]),
        read=lambda output: output.label, score=scores.accuracy,
        majority=lambda train, test: simple.majority([str(row["label"]) for row in train], len(test)),
        simple=("n-gram regression", partial(simple.regression, fields=("text",), gold="label", language=language)),
        same=(peer, answers), rates=rates,
        recipe={"backbone": backbone, "adaptation": {"name": adaptation, **trained}, "dev_share": 0.0},
    )  # fmt: skip


def reviews(sample: str) -> Rows:
    """Return the distinct rows of a sample, in an order that is drawn once."""
    from functory.data import read

    rows = [{"text": record.values["text"], "label": record.values["label"]} for record in read(f"samples:{sample}")]
    return [rows[place] for place in np.random.default_rng(1).permutation(len(rows))]


def _peer(adaptation: str, backbone: str) -> tuple[str, Callable[[Rows, Rows, float], Answers], tuple[float, ...]]:
    """Return a peer's name, what it answers, and with which rates or strengths it is tried."""
    if adaptation == "head":
        return "logistic regression on its features", partial(_regression, backbone=backbone), STRENGTHS
    is_lora = adaptation == "lora"
    return "PEFT" if is_lora else "Trainer", partial(_tuned, backbone=backbone, peft=is_lora), (RATES[adaptation],)


def _tuned(train: Rows, test: Rows, rate: float, *, backbone: str, peft: bool) -> list[str]:
    names, found = same.logits(train, test, ("text",), "label", backbone, rate, peft=peft)
    return [names[place] for place in found.argmax(-1)]


def _regression(train: Rows, test: Rows, strength: float, *, backbone: str) -> list[str]:
    """Return the labels of a logistic regression on standardised mean-pooled features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
    model.fit(_features(train, backbone), [row["label"] for row in train])
    return [str(label) for label in model.predict(_features(test, backbone))]


_known: dict[tuple[str, str], Any] = {}


def _features(rows: Rows, backbone: str) -> Any:
    """Return mean-pooled last hidden states, (rows, width), computed by transformers alone, each text once."""
    from cells.taggers import tokenizer_of

    texts = sorted({row["text"] for row in rows if (backbone, row["text"]) not in _known}, key=len)
    place = same.place_of(backbone)
    tokenizer, model = tokenizer_of(place), same.classifier(("one", "two"), str(place)).bert
    with torch.inference_mode():
        for start in range(0, len(texts), 32):
            part = texts[start : start + 32]
            batch = tokenizer(part, padding=True, truncation=True, max_length=512, return_tensors="pt")
            mask = batch["attention_mask"].unsqueeze(-1).float()
            pooled = ((model(**batch)[0] * mask).sum(1) / mask.sum(1)).numpy()
            _known.update({(backbone, text): vector for text, vector in zip(part, pooled, strict=True)})
    return np.stack([_known[backbone, row["text"]] for row in rows])
