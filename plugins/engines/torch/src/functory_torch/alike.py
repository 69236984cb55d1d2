"""Texts of about one length, whose rows lie side by side: so none is padded to the longest of all that are written.

Apart from the batch, which reads all of them in one pass: here is what belongs to the rows of one length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import log2

import torch
from torch import Tensor

from functory_sdk.lines import Text
from functory_sdk.torch import Network, Writing

FINE = 2
"""Rows lie side by side whose lengths are within a factor of which this power is 2: finer ones are padded less, and are more
products of fewer rows."""


def kind(text: Text, network: Network) -> int:
    """Return which texts a text is like: one number for each length, and one for all where a pass reads one batch."""
    return int(FINE * log2(max(1, text.size))) if network.reads_together else 0


@dataclass
class Alike:
    """Texts of one kind that are written.

    :param texts: in the order of their rows.
    :param counts: how many rows each has, one after the other; one when empty.
    """

    writing: Writing
    texts: list[Text]
    counts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counts = self.counts or [1] * len(self.texts)

    def placed(self) -> Iterator[tuple[Text, int, int]]:
        """Give each text with its first row, and how many it has."""
        row = 0
        for text, count in zip(self.texts, self.counts, strict=True):
            yield text, row, count
            row += count

    def join(self, other: Alike) -> None:
        """Put others after these."""
        self.writing.join(other.writing)
        self.texts += other.texts
        self.counts += other.counts

    def go_on(self, staying: Sequence[tuple[Text, Sequence[int], Sequence[int]]]) -> Tensor:
        """Go on with some texts, each with which of all rows are its, of which one may come several times, and their next tokens.

        :return: the next token of each row, (rows,).
        """
        before = sum(self.counts)
        if len(self.counts) == before and all(len(rows) == 1 for _, rows, _ in staying) and len(staying) < before:
            staying = [staying[place] for place in filled([rows[0] for _, rows, _ in staying])]
        self.texts, self.counts = [text for text, _, _ in staying], [len(rows) for _, rows, _ in staying]
        rows = [row for _, rows, _ in staying for row in rows]
        if rows != list(range(before)):
            self.writing.choose(rows)
        return torch.tensor([token for *_, tokens in staying for token in tokens], device=self.writing.hidden.device)


def filled(rows: Sequence[int]) -> list[int]:
    """Return in which order rows go on so that the fewest are moved: those that stay in place where they are, and the others,
    the last ones, where some have left.

    :param rows: ascending.
    """
    here = {row: place for place, row in enumerate(rows) if row < len(rows)}
    others = iter(place for place, row in enumerate(rows) if row >= len(rows))
    return [here[row] if row in here else next(others) for row in range(len(rows))]
