"""The head of tasks that label, and its loss."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from functory.contracts.backbone import BackboneSpec
from functory_sdk.labels.classify import width
from functory_sdk.labels.types import Labels
from functory_sdk.torch.heads import LinearHead


class ClassifierHead(LinearHead):
    """Scores of the labels: log-probabilities for one label of several, logits otherwise."""

    def __init__(self, spec: BackboneSpec, state: Labels) -> None:
        super().__init__(spec, state, width(state))
        self.is_single = state.mode == "single"

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        scores = self.scores(features)  # (batch, width)
        return {"scores": F.log_softmax(scores, -1) if self.is_single else scores}

    def loss(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        scores, gold = outputs["scores"], batch["gold"]
        count = torch.tensor(float(len(gold)), device=scores.device)
        smoothing = self.label_smoothing
        if self.is_single:
            right = F.nll_loss(scores, gold, reduction="sum")
            return (1 - smoothing) * right - smoothing * scores.mean(-1).sum(), count
        wanted = gold * (1 - smoothing) + smoothing / 2
        return F.binary_cross_entropy_with_logits(scores, wanted, reduction="none").mean(-1).sum(), count
