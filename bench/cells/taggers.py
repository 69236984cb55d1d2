"""Peers that tag tokens: a backbone with a token classifier, fine-tuned by transformers' Trainer, for spans and for given words.

For spans each token gets the tag of the entity that half of its characters belong to; what comes out is read as spans of
characters, as ours is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peers import fine_tuned

from cells.data import Rows
from cells.scores import Span

IGNORED = -100


def tokenizer_of(place: Path) -> Any:
    """Return the tokenizer in a backbone's folder, as transformers has it; e5's is a file alone."""
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    if (place / "tokenizer_config.json").exists():
        return AutoTokenizer.from_pretrained(place, model_max_length=512)
    return PreTrainedTokenizerFast(
        tokenizer_file=str(place / "tokenizer.json"), pad_token="<pad>", model_max_length=512
    )


def spans(train: Rows, test: Rows, place: Path, rate: float, epochs: int, batch_rows: int) -> list[set[Span]]:
    """Fine-tune the weights of a folder on spans of characters and return those it finds in each test row."""
    types = sorted({span["label"] for row in train for span in row["entities"]})
    tags = ["O", *(f"{mark}-{kind}" for kind in types for mark in "BI")]
    tokenizer = tokenizer_of(place)

    def data(rows: Rows) -> tuple[Rows, list[list[tuple[int, int]]]]:
        made, places = [], []
        for row in rows:
            read = tokenizer(row["text"], truncation=True, return_offsets_mapping=True)
            offsets = [_trimmed(row["text"], *pair) for pair in read["offset_mapping"]]
            places.append(offsets)
            labels = _labels(offsets, row["entities"], tags)
            made.append({"input_ids": read["input_ids"], "attention_mask": read["attention_mask"], "labels": labels})
        return made, places

    known, _ = data(train)
    unseen, places = data(test)
    scores = _trained(place, tags, known, unseen, tokenizer, rate, epochs, batch_rows)
    return [
        _spans(offsets, [tags[tag] for tag in row[: len(offsets)].argmax(-1)])
        for offsets, row in zip(places, scores, strict=True)
    ]


def tags(train: Rows, test: Rows, place: Path, rate: float, epochs: int, batch_rows: int) -> list[list[str]]:
    """Fine-tune the weights of a folder on a tag for each given token, as transformers' example does, and return the test rows'.

    The first piece of a token is tagged; one of which nothing was read has the first tag.
    """
    names = sorted({tag for row in train for tag in row["tags"]})
    tokenizer = tokenizer_of(place)

    def data(rows: Rows) -> tuple[Rows, list[list[int]]]:
        made, places = [], []
        for row in rows:
            read = tokenizer(row["tokens"], is_split_into_words=True, truncation=True)
            words = read.word_ids()
            first = [words.index(word) if word in words else -1 for word in range(len(row["tokens"]))]
            labels = [IGNORED] * len(words)
            for at, tag in zip(first, row["tags"], strict=True):
                if at >= 0 and tag in names:
                    labels[at] = names.index(tag)
            places.append(first)
            made.append({"input_ids": read["input_ids"], "attention_mask": read["attention_mask"], "labels": labels})
        return made, places

    known, _ = data(train)
    unseen, places = data(test)
    scores = _trained(place, names, known, unseen, tokenizer, rate, epochs, batch_rows)
    chosen = [row.argmax(-1) for row in scores]
    return [
        [names[row[at]] if at >= 0 else names[0] for at in first] for row, first in zip(chosen, places, strict=True)
    ]


def _trained(
    place: Path, tags: Sequence[str], known: Rows, unseen: Rows, tokenizer: Any, rate: float, epochs: int, batch_rows: int
) -> Any:
    """Fine-tune a token classifier, and return the scores of the unseen rows' tokens."""
    from transformers import AutoModelForTokenClassification, DataCollatorForTokenClassification

    torch.manual_seed(0)
    model = AutoModelForTokenClassification.from_pretrained(str(place), num_labels=len(tags))
    scores, _ = fine_tuned(
        model, known, unseen, DataCollatorForTokenClassification(tokenizer), num_train_epochs=epochs, learning_rate=rate,
        per_device_train_batch_size=batch_rows, warmup_steps=0.06, weight_decay=0.01,
    )  # fmt: skip
    return scores


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a token's place without the blanks around it."""
    inner = text[start:end]
    return start + len(inner) - len(inner.lstrip()), end - (len(inner) - len(inner.rstrip()))


def _labels(offsets: Sequence[tuple[int, int]], entities: Sequence[dict[str, Any]], tags: list[str]) -> list[int]:
    """Return the tag of each token; of special tokens and blanks, `IGNORED`."""
    labels = [0 if start < end else IGNORED for start, end in offsets]
    for entity in entities:
        mark = "B"
        for place, (start, end) in enumerate(offsets):
            inside = min(end, entity["end"]) - max(start, entity["start"])
            if start < end and 2 * inside >= end - start:
                labels[place] = tags.index(f"{mark}-{entity['label']}")
                mark = "I"
    return labels


def _spans(offsets: Sequence[tuple[int, int]], tags: Sequence[str]) -> set[Span]:
    """Return the spans that tags stand for; an I- that continues nothing begins one."""
    spans: list[Span] = []
    before = "O"
    for (start, end), tag in zip(offsets, tags, strict=True):
        if start >= end:
            continue
        if tag != "O":
            kind = tag[2:]
            if tag[0] == "I" and before[2:] == kind:
                spans[-1] = (spans[-1][0], end, kind)
            else:
                spans.append((start, end, kind))
        before = tag
    return set(spans)
