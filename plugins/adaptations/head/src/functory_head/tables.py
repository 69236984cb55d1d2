"""Stored features with their gold, as what a head is fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from functory_sdk.torch import LinearHead


@dataclass(frozen=True)
class Block:
    """Features with their gold arrays, as one batch.

    :param features: (units, width); a unit is a row, or a token for heads that read tokens.
    :param gold: name → (units, …).
    """

    features: Tensor
    gold: dict[str, Tensor]

    def at(self, place: Tensor | slice) -> Block:
        """Return some of the units."""
        return Block(self.features[place], {name: value[place] for name, value in self.gold.items()})


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

    def of(self, blocks: Sequence[int]) -> Block:
        """Return some blocks as one, copied."""
        places = torch.cat([torch.arange(self.cuts[block].start, self.cuts[block].stop) for block in blocks])
        return self.whole.at(places)


def loss_of(head: LinearHead, block: Block) -> tuple[Tensor, Tensor]:
    """Return the sum of the losses and how many there are; tokens are read as one long row."""
    features, gold = block.features, block.gold
    if head.reads == "tokens":
        features, gold = features[None], {name: value[None] for name, value in gold.items()}
    return head.loss(head(features, gold), gold)
