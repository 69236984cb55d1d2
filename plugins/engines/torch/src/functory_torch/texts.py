"""The texts of rows: the trunk reads each that is another once, in whatever rows it stands, and however often they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from functory_sdk import Array, BackboneSpec, Row

MASKS = {"tokens": "attention_mask", "target": "decoder_attention_mask"}
"""An axis of the network's arrays → the array that says which of its places are real."""


@dataclass(frozen=True)
class Texts:
    """Rows of one text each, and where they stand.

    :param rows: one for each text.
    :param places: (rows, texts) for each row, which texts it holds.
    """

    rows: Sequence[Row]
    places: Array

    def of(self, chosen: Sequence[int]) -> list[int]:
        """Return which texts some rows hold, one row's after another's."""
        found: list[int] = self.places[list(chosen)].reshape(-1).tolist()
        return found


def texts_of(rows: Sequence[Row], spec: BackboneSpec, count: int) -> Texts:
    """Return the texts of some rows, without what pads them, each once.

    :param count: how many a row holds.
    """
    names = [port.name for port in spec.ports()]
    known: dict[tuple[bytes, ...], int] = {}
    found: list[Row] = []
    places = np.empty((len(rows), count), dtype=np.int64)
    for index, row in enumerate(rows):
        for place in range(count):
            text = row if count == 1 else _text(row, spec, place)
            key = tuple(text[name].tobytes() for name in names if name in text)
            if key not in known:
                known[key] = len(found)
                found.append(text)
            places[index, place] = known[key]
    return Texts(found, places)


def _text(row: Row, spec: BackboneSpec, place: int) -> Row:
    """Return one text of a row as a row of its own; one without tokens keeps a place that is padding."""
    ends = {axis: max(1, int(row[mask][place].sum())) for axis, mask in MASKS.items() if mask in row}
    return {
        port.name: row[port.name][place, : ends[axis]]
        for port in spec.ports()
        if port.name in row and isinstance(axis := port.axes[0], str)
    }
