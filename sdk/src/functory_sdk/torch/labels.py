"""The head of tasks that label, and its loss."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from functory.contracts.backbone import BackboneSpec
from functory_sdk.labels.classify import PASSED_OVER, beside, width
from functory_sdk.labels.types import Labels
from functory_sdk.torch.heads import LinearHead


class ClassifierHead(LinearHead):
    """Scores of the labels: log-probabilities for one label of several, logits otherwise.

    Beside them, of ratings the expected number, ``value``; where a function may decline, the logits' ``energy``, the logarithm
    of their summed exponentials, which log-probabilities no longer hold.
    """

    numbers: Tensor

    def __init__(self, spec: BackboneSpec, state: Labels) -> None:
        super().__init__(spec, state, width(state))
        self.is_one = state.is_one
        self.beside = beside(state)
        self.inside = state.inside
        self.register_buffer("numbers", torch.tensor(state.numbers), persistent=False)

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        raw = self.scores(features)  # (batch, width)
        outputs = {"scores": F.log_softmax(raw, -1) if self.is_one else raw}
        if "value" in self.beside:
            outputs["value"] = (outputs["scores"].exp() * self.numbers).sum(-1)  # (batch,)
        if "energy" in self.beside:
            outputs["energy"] = torch.logsumexp(raw[:, : self.inside], -1)  # (batch,)
        return outputs

    def loss(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        scores, gold = outputs["scores"], batch["gold"]
        smoothing = self.label_smoothing
        if self.is_one:
            known = gold != PASSED_OVER  # (batch,)
            right = F.nll_loss(scores, gold, reduction="sum", ignore_index=PASSED_OVER)
            return (1 - smoothing) * right - smoothing * (scores.mean(-1) * known).sum(), known.sum().to(scores.dtype)
        count = torch.tensor(float(len(gold)), device=scores.device)
        wanted = gold * (1 - smoothing) + smoothing / 2
        return F.binary_cross_entropy_with_logits(scores, wanted, reduction="none").mean(-1).sum(), count
