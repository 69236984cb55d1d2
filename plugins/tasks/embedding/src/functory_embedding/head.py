"""The heads: vectors as they are, and vectors that learn which texts belong together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from functory_embedding.types import Measures
from functory_sdk import BackboneSpec
from functory_sdk.torch import Head, LinearHead

TEMPERATURE = 0.05
ASKS, RIGHT = 0, 1
"""What a row's text is in its example: what looks for another, and that one; negatives have a higher number."""


class PlainHead(Head):
    """One vector a row, as the backbone pools; of length 1 where it normalises. Without parameters."""

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"vector": features / _length(self.spec)}  # (batch, width)


class ContrastiveHead(LinearHead):
    """One vector a row by a map that begins as no change, learned from the texts of a step together.

    Texts that belong together are told from all others of the step (van den Oord et al. 2018, InfoNCE); where people said how
    alike two texts are, the cosines are put into the scores' order (Su 2022, CoSENT). Each prefix that must serve has a loss of
    its own (Kusupati et al. 2022).
    """

    together: ClassVar[Literal["row", "group", "batch"]] = "batch"

    def __init__(self, spec: BackboneSpec, state: Measures) -> None:
        super().__init__(spec, state, spec.width)
        self.state = state
        nn.init.eye_(self.linear.weight)

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"vector": self.scores(features / _length(self.spec))}  # (batch, width)

    def losses(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the loss of each text that looks for another, or the one of all scored pairs, (units,)."""
        each = _ordered if self.state.is_scored else _found
        vectors = outputs["vector"]
        prefixes = [normalize(vectors[:, : length or None], dim=-1) for length in self.state.lengths]
        losses = torch.stack([each(prefix, batch) for prefix in prefixes]).mean(0)
        return losses, torch.ones_like(losses)

    def contrast(self, features: Tensor, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The losses of the vectors as the backbone gives them."""
        return self.losses({"vector": features / _length(self.spec)}, batch)


def _found(vectors: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
    """Return minus the log-probability of each text's other among all items of the step, (texts,).

    Not among them is what belongs to an equal text too, and the text itself.
    """
    asks, items, own = _places(batch)
    said, told = batch["said"][asks], batch["said"][items]
    wanted = told[own]  # (texts,)
    belongs = (said[:, None] == said).float() @ (wanted[:, None] == told).float() > 0  # (texts, items)
    hidden = belongs | (said[:, None] == told)
    hidden[torch.arange(len(own), device=own.device), own] = False
    cosines = vectors[asks] @ vectors[items].T
    return cross_entropy((cosines / TEMPERATURE).masked_fill(hidden, -torch.inf), own, reduction="none")


def _ordered(vectors: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
    """Return log(1 + Σ exp(difference of cosines)) over all pairs of pairs whose scores are in the other order, (1,)."""
    asks, items, own = _places(batch)
    cosines = (vectors[asks] * vectors[items][own]).sum(-1) / TEMPERATURE
    scores = batch["worth"][asks]
    excess = (cosines - cosines[:, None])[scores[:, None] > scores]  # of the less alike over the more alike
    return torch.logsumexp(torch.cat([excess.new_zeros(1), excess]), 0)[None]


def _places(batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Return the rows of texts that look for others, those of the others, and which of these is each text's own, (texts,)."""
    side, group = batch["side"], batch["group"]
    asks, items = (side == ASKS).nonzero().squeeze(-1), (side != ASKS).nonzero().squeeze(-1)
    is_own = (group[asks][:, None] == group[items]) & (side[items] == RIGHT)
    return asks, items, is_own.int().argmax(-1)


def _length(spec: BackboneSpec) -> float:
    """Return the length that pooling brings vectors to, √width; 1 where it leaves them as they are."""
    return math.sqrt(spec.width) if spec.is_normalised else 1.0
