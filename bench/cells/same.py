"""Peers on the same backbone, rows and steps: transformers' Trainer, all weights, as its users would write it.

Each fine-tunes with every learning rate of `RATES` and answers with the better one, by the metric on the test rows: the
choice favours the peer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peers import classifier, fine_tuned, folder, lora

from cells import taggers
from cells.data import Row, Rows
from cells.scores import Span

RATES = (3e-5, 1e-4)
EPOCHS, BATCH = 3, 16
LENGTH = 384
"""Tokens of a row at most; what is longer is cut, for answers read in windows."""
STRIDE = 128
PIECEMEAL = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": BATCH // 2, "per_device_eval_batch_size": 8}
"""A batch of questions with all their options, each hundreds of tokens, taken in parts: whole it fills 16 GB."""


def place_of(backbone: str) -> Path:
    """Return the folder of a backbone's weights."""
    from functory_sdk import open_backbone

    return Path(folder()) if backbone == "minilm" else open_backbone(backbone).folder


def labels(train: Rows, test: Rows, fields: Sequence[str], gold: str, backbone: str, rate: float) -> list[str]:
    """Fine-tune a classifier of one text or of two, and return the labels of the test rows."""
    names, scores = logits(train, test, fields, gold, backbone, rate)
    return [names[place] for place in scores.argmax(-1)]


def logits(
    train: Rows, test: Rows, fields: Sequence[str], gold: str, backbone: str, rate: float, *, peft: bool = False
) -> tuple[tuple[str, ...], Any]:
    """Fine-tune a classifier and return its labels, and the test rows' logits, (rows, labels).

    :param peft: train PEFT's updates beside every map, and not the weights.
    """
    names = tuple(sorted({str(row[gold]) for row in train}))
    tokenizer = taggers.tokenizer_of(place_of(backbone))

    def data(found: Rows) -> Rows:
        return [
            {**_read(tokenizer, row, fields), "labels": names.index(str(row[gold])) if str(row[gold]) in names else 0}
            for row in found
        ]

    model: Any = classifier(names, str(place_of(backbone)))
    model = lora(model) if peft else model
    return names, _trained(model, data(train), data(test), tokenizer, rate)


def numbers(train: Rows, test: Rows, fields: Sequence[str], gold: str, backbone: str, rate: float) -> list[float]:
    """Fine-tune a regression of two texts, a cross-encoder, and return the numbers of the test rows."""
    tokenizer = taggers.tokenizer_of(place_of(backbone))

    def data(found: Rows) -> Rows:
        return [{**_read(tokenizer, row, fields), "labels": float(row[gold])} for row in found]

    scores = _trained(classifier(("number",), str(place_of(backbone))), data(train), data(test), tokenizer, rate)
    return [float(value) for value in np.asarray(scores).reshape(len(test), -1)[:, 0]]


def spans(train: Rows, test: Rows, backbone: str, rate: float) -> list[set[Span]]:
    """Fine-tune a tagger and return the entities of the test rows."""
    return taggers.spans(train, test, place_of(backbone), rate, EPOCHS, BATCH)


def tags(train: Rows, test: Rows, backbone: str, rate: float) -> list[list[str]]:
    """Fine-tune a tagger of given words or characters, whose first token speaks for them, and return the test rows' tags.

    :param train: rows of `tokens` and `tags`; so is `test`.
    """
    return taggers.tags(train, test, place_of(backbone), rate, EPOCHS, BATCH)


def choices(train: Rows, test: Rows, backbone: str, rate: float) -> list[int]:
    """Fine-tune a scorer of options, each read after its context and question, and return the chosen ones."""
    from transformers import BertForMultipleChoice

    tokenizer = taggers.tokenizer_of(place_of(backbone))
    most = max(len(row["choices"]) for row in (*train, *test))

    def data(found: Rows) -> Rows:
        made = []
        for row in found:
            before = f"{row.get('context', '')} {row['question']}".strip()
            options = [*row["choices"], *[""] * (most - len(row["choices"]))]
            made.append({"options": [(before, option) for option in options], "labels": row["answer"]})
        return made

    def collate(batch: Rows) -> dict[str, Any]:
        pairs = [pair for row in batch for pair in row["options"]]
        read = tokenizer(
            [one for one, _ in pairs], [other for _, other in pairs], truncation="only_first", max_length=LENGTH,
            padding=True, return_tensors="pt",
        )  # fmt: skip
        shaped = {name: value.view(len(batch), most, -1) for name, value in read.items()}
        return {**shaped, "labels": torch.tensor([row["labels"] for row in batch])}

    torch.manual_seed(0)
    model = BertForMultipleChoice.from_pretrained(place_of(backbone))
    arguments = {**_arguments(rate), **PIECEMEAL, "remove_unused_columns": False}
    scores, _ = fine_tuned(model, data(train), data(test), collate, **arguments)
    return [int(row[: len(one["choices"])].argmax()) for row, one in zip(scores, test, strict=True)]


def answers(train: Rows, test: Rows, backbone: str, rate: float) -> list[str]:
    """Fine-tune a reader of answers in windows, as transformers' example does, and return the best span of each test row."""
    from transformers import BertForQuestionAnswering, DataCollatorWithPadding

    tokenizer = taggers.tokenizer_of(place_of(backbone))
    known = [window for row in train for window, _ in _windows(tokenizer, row)]
    unseen = [
        (index, window, offsets) for index, row in enumerate(test) for window, offsets in _windows(tokenizer, row)
    ]
    torch.manual_seed(0)
    model = BertForQuestionAnswering.from_pretrained(place_of(backbone))
    (starts, ends), _ = fine_tuned(
        model, known, [window for _, window, _ in unseen], DataCollatorWithPadding(tokenizer), **_arguments(rate)
    )
    best: list[tuple[float, str]] = [(-np.inf, "")] * len(test)
    for (index, _, offsets), start, end in zip(unseen, starts, ends, strict=True):
        score, first, last = _best_span(start[: len(offsets)], end[: len(offsets)], offsets)
        if score > best[index][0]:
            best[index] = score, test[index]["context"][first:last]
    return [text for _, text in best]


def _windows(tokenizer: Any, row: Row) -> list[tuple[Row, list[tuple[int, int] | None]]]:
    """Return a context's windows behind its question; the answer's places where it stands in one, else the first token."""
    read = tokenizer(
        row["question"], row["context"], truncation="only_second", max_length=LENGTH, stride=STRIDE,
        return_overflowing_tokens=True, return_offsets_mapping=True,
    )  # fmt: skip
    answer = row["answers"][0]
    wanted = (answer["start"], answer["start"] + len(answer["text"]))
    made = []
    for number, ids in enumerate(read["input_ids"]):
        sides = read.sequence_ids(number)
        offsets = [
            pair if side == 1 else None for pair, side in zip(read["offset_mapping"][number], sides, strict=True)
        ]
        inside = [place for place, pair in enumerate(offsets) if pair and pair[0] < wanted[1] and pair[1] > wanted[0]]
        is_whole = inside and offsets[inside[0]][0] <= wanted[0] and offsets[inside[-1]][1] >= wanted[1]
        first, last = (inside[0], inside[-1]) if is_whole else (0, 0)
        window = {"input_ids": ids, "attention_mask": read["attention_mask"][number]}
        if "token_type_ids" in read:
            window["token_type_ids"] = read["token_type_ids"][number]
        made.append(({**window, "start_positions": first, "end_positions": last}, offsets))
    return made


def _best_span(start: Any, end: Any, offsets: Sequence[tuple[int, int] | None]) -> tuple[float, int, int]:
    """Return the best span of at most 30 tokens inside the context: its score, its first character and the one after its last."""
    best = (-np.inf, 0, 0)
    for first in np.argsort(-start)[:20]:
        for last in range(first, min(first + 30, len(offsets))):
            one, other = offsets[first], offsets[last]
            if one and other and start[first] + end[last] > best[0]:
                best = (float(start[first] + end[last]), one[0], other[1])
    return best


def _read(tokenizer: Any, row: Row, fields: Sequence[str]) -> dict[str, Any]:
    return dict(tokenizer(*[row[field] for field in fields], truncation=True, max_length=LENGTH))


def _trained(model: Any, train: Rows, test: Rows, tokenizer: Any, rate: float) -> Any:
    from transformers import DataCollatorWithPadding

    scores, _ = fine_tuned(model, train, test, DataCollatorWithPadding(tokenizer), **_arguments(rate))
    return scores


def _arguments(rate: float) -> dict[str, Any]:
    return {
        "num_train_epochs": EPOCHS, "learning_rate": rate, "per_device_train_batch_size": BATCH,
        "per_device_eval_batch_size": 64, "warmup_steps": 0.06, "weight_decay": 0.01,
    }  # fmt: skip
