"""Rows of the data sets that lie beside the project, in the shapes that the tasks read. Nothing of them is kept here."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

PLACE = Path(os.environ.get("DATA_SETS") or Path(__file__).resolve().parents[3] / "shared" / "data")
"""A folder a data set, with a file a split: ``<name>/<split>.jsonl.gz``."""
Row = dict[str, Any]
Rows = list[Row]


class NotHere(Exception):
    """A data set that is not on this machine: its cell is skipped."""


def rows(name: str, side: str, limit: int | None = None, seed: int = 0) -> Rows:
    """Return rows of one split, in an order that the seed draws where not all are taken.

    :raises NotHere: where the file is not there.
    """
    file = PLACE / name / f"{side}.jsonl.gz"
    if not file.is_file():
        raise NotHere(f"{name}/{side} is not here")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    if limit is None or limit >= len(found):
        return found
    return [found[index] for index in sorted(np.random.default_rng(seed).permutation(len(found))[:limit])]


def only(found: Rows, *fields: str, **renamed: str) -> Rows:
    """Return rows with some fields alone; of others under a new name: ``only(rows, "text", label="fine_label")``."""
    return [
        {**{field: row[field] for field in fields}, **{new: row[old] for new, old in renamed.items()}} for row in found
    ]


def outer(found: Rows) -> Rows:
    """Return texts whose entities lie beside one another: of those that overlap the longest alone, as flat taggers learn."""
    return [{**row, "entities": _apart(row["entities"])} for row in found]


def _apart(entities: Rows) -> Rows:
    kept: Rows = []
    for one in sorted(entities, key=lambda one: (one["start"] - one["end"], one["start"])):
        if all(one["end"] <= other["start"] or one["start"] >= other["end"] for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: int(one["start"]))


def paragraphs(language: str) -> tuple[list[str], list[tuple[str, int]]]:
    """Return xquad's paragraphs, each once, and its questions with the paragraph that each was asked of."""
    found = rows("xquad", f"test_{language}")
    texts = list(dict.fromkeys(row["context"] for row in found))
    place = {text: index for index, text in enumerate(texts)}
    return texts, [(row["question"], place[row["context"]]) for row in found]


def marked(found: Rows) -> Rows:
    """Return texts with both spans marked by words, as a peer reads them that knows no marks."""
    return [{"text": _marked(row["text"], row["head"], row["tail"]), "label": row["label"]} for row in found]


def _marked(text: str, head: dict[str, int], tail: dict[str, int]) -> str:
    for span, name in sorted(((head, "one"), (tail, "two")), key=lambda pair: -pair[0]["start"]):
        start, end = span["start"], span["end"]
        text = f"{text[:start]} # {name} {text[start:end]} # {text[end:]}"
    return text
