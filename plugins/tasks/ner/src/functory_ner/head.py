"""The tagging head and its loss (torch)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from functory_ner.tagging import IGNORED
from functory_ner.types import Labels
from functory_sdk import BackboneSpec
from functory_sdk.torch import LinearHead


class TaggingHead(LinearHead):
    """The log-probability of each tag, for each token."""

    reads: ClassVar = "tokens"

    def __init__(self, spec: BackboneSpec, state: Labels) -> None:
        super().__init__(spec, state, len(state.tags))

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"scores": F.log_softmax(self.scores(features), -1)}  # (batch, tokens, tags)

    def loss(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy of the tokens that have a tag, and their number."""
        counted = batch["gold"] != IGNORED  # (batch, tokens)
        scores, gold = outputs["scores"][counted], batch["gold"][counted]  # (counted, tags), (counted,)
        smoothing = self.label_smoothing
        right = F.nll_loss(scores, gold, reduction="sum")
        return (1 - smoothing) * right - smoothing * scores.mean(-1).sum(), counted.sum()
