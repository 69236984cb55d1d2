"""The head of tasks that find spans, and its loss."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from functory.contracts.backbone import BackboneSpec
from functory_sdk.spans.tagging import IGNORED
from functory_sdk.spans.types import SpanLabels
from functory_sdk.torch.heads import LinearHead
from functory_sdk.torch.readings import Tokens


class TaggingHead(LinearHead):
    """The log-probability of each tag, for each token."""

    def __init__(self, spec: BackboneSpec, state: SpanLabels) -> None:
        super().__init__(spec, state, len(state.tags), Tokens())

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"scores": F.log_softmax(self.scores(features), -1)}  # (batch, tokens, tags)

    def loss(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy of the tokens that have a tag, and their number."""
        counted = batch["gold"] != IGNORED  # (batch, tokens)
        scores, gold = outputs["scores"][counted], batch["gold"][counted]  # (counted, tags), (counted,)
        smoothing = self.label_smoothing
        right = F.nll_loss(scores, gold, reduction="sum")
        return (1 - smoothing) * right - smoothing * scores.mean(-1).sum(), counted.sum()
