"""The head of tasks that find spans, and its losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from functory.contracts.backbone import BackboneSpec
from functory_sdk.spans.tagging import IGNORED
from functory_sdk.spans.types import SpanLabels
from functory_sdk.torch.heads import LinearHead
from functory_sdk.torch.readings import Tokens


class TaggingHead(LinearHead):
    """The log-probability of each tag, for each token."""

    is_surprise: ClassVar[bool] = True

    def __init__(self, spec: BackboneSpec, state: SpanLabels) -> None:
        super().__init__(spec, state, len(state.tags), Tokens())
        self.names = state.tags

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"scores": F.log_softmax(self.scores(features), -1)}  # (batch, tokens, tags)

    def losses(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy of each token that has a tag, (counted,), and a weight of 1."""
        counted = batch["gold"] != IGNORED  # (batch, tokens)
        losses = F.nll_loss(outputs["scores"][counted], batch["gold"][counted], reduction="none")
        return losses, torch.ones_like(losses)

    def evenly(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        return -outputs["scores"][batch["gold"] != IGNORED].mean(-1)

    def classes(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The tag of each token that has one."""
        return batch["gold"][batch["gold"] != IGNORED]
