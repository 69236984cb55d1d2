"""Heads that are each wrong in one way."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from functory_sdk.testing.toy_head import ToyHead
from functory_sdk.torch import Tokens


class BatchyHead(ToyHead):
    """Looks at the other rows."""

    def forward(self, features: Any, batch: Any) -> Any:
        return super().forward(features - features.mean(0, keepdim=True), batch)


class TagHead(ToyHead):
    """Scores every token, and averages them for the output."""

    def __init__(self, spec: Any, state: Any) -> None:
        super().__init__(spec, state)
        self.read_as(Tokens())

    def forward(self, features: Any, batch: Any) -> Any:
        tokens = F.log_softmax(self.scores(features), -1)  # (batch, tokens, labels)
        mask = batch["attention_mask"][..., None].float()
        return {"scores": (tokens * mask).sum(1) / mask.sum(1), "tokens": tokens}

    def losses(self, outputs: Any, batch: Any) -> Any:
        counted = batch["tags"] != -100
        losses = F.nll_loss(outputs["tokens"][counted], batch["tags"][counted], reduction="none")
        return losses, torch.ones_like(losses)


class PaddedHead(TagHead):
    """Counts padding as a label."""

    def losses(self, outputs: Any, batch: Any) -> Any:
        tags = batch["tags"].clamp(min=0)
        losses = F.nll_loss(outputs["tokens"].flatten(0, 1), tags.flatten(), reduction="none")
        return losses, torch.ones_like(losses)
