"""One fixed order, mixed by class, and no text twice.

The files are sorted by class, so their first rows are no fair part of them. The order here is that of the
texts' hashes: it needs no seed, and is the same with any version of anything. A text that comes twice would
count twice in every figure; one that comes with two labels has no right one.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

Row = dict[str, Any]  # Any: as the contract of samples says


def settle(rows: Iterable[Row]) -> list[Row]:
    """Return rows with distinct texts, in the order of their texts' SHA-256.

    Of rows with the same text and label the first is kept; rows with the same text and different labels are
    all left out.
    """
    first: dict[str, Row] = {}
    contradicted = set()
    for row in rows:
        if first.setdefault(row["text"], row)["label"] != row["label"]:
            contradicted.add(row["text"])
    kept = [row for text, row in first.items() if text not in contradicted]
    return sorted(kept, key=lambda row: sha256(row["text"].encode()).digest())
