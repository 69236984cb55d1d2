"""Stored features with their gold, as what a head is fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from functory_sdk.torch.linear import Block

SMALL = 1_000_000
"""Elements of a table whose blocks are joined: copies of all that folds are fitted to take some megabytes."""


@dataclass(frozen=True)
class Table:
    """The units that a head is fitted to, those of a block together.

    :param features: (units, width).
    :param gold: name → (units, …).
    :param cuts: where each block lies.
    """

    features: Tensor
    gold: dict[str, Tensor]
    cuts: tuple[slice, ...]

    @property
    def whole(self) -> Block:
        """All units."""
        return Block(self.features, self.gold)

    @cached_property
    def blocks(self) -> list[Block]:
        """The blocks, as views."""
        return [self.whole.at(cut) for cut in self.cuts]

    def some(self, blocks: Sequence[int]) -> list[Block]:
        """Return some blocks to be fitted to: as one where the table is small, since there many calls cost more than a copy."""
        return [self.of(blocks)] if self.features.numel() <= SMALL else [self.blocks[block] for block in blocks]

    def of(self, blocks: Sequence[int]) -> Block:
        """Return some blocks as one, copied."""
        places = torch.cat([torch.arange(self.cuts[block].start, self.cuts[block].stop) for block in blocks])
        return self.whole.at(places)
