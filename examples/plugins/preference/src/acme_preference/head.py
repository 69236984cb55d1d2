"""The head and its loss (torch)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from functory_sdk import BackboneSpec
from functory_sdk.torch import LinearHead


class ScoreHead(LinearHead):
    """One score per text: how likely it is the better one of its pair, as a logit."""

    def __init__(self, spec: BackboneSpec, state: Any) -> None:
        super().__init__(spec, state, 1)

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"score": self.scores(features).squeeze(-1)}  # (batch,)

    def loss(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        gold = batch["gold"] * (1 - self.label_smoothing) + self.label_smoothing / 2
        count = torch.tensor(float(len(gold)), device=gold.device)
        return F.binary_cross_entropy_with_logits(outputs["score"], gold, reduction="sum"), count
