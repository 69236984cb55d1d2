"""The head and its losses (torch)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from functory_sdk import BackboneSpec
from functory_sdk.torch import LinearHead, groups
from functory_sdk.torch.heads import Together


class ScoreHead(LinearHead):
    """One score per text, of which only the differences within a pair mean anything."""

    together: ClassVar[Together] = "group"
    is_surprise: ClassVar[bool] = True

    def __init__(self, spec: BackboneSpec, state: Any) -> None:
        super().__init__(spec, state, 1, has_bias=False)

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"score": self.scores(features).squeeze(-1)}  # (batch,)

    def losses(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return -log σ(s of the better text − s of the other) of each pair, (pairs,)."""
        losses = F.softplus(-self._margins(outputs, batch))
        return losses, torch.ones_like(losses)

    def evenly(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        margins = self._margins(outputs, batch)
        return (F.softplus(margins) + F.softplus(-margins)) / 2

    def _margins(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return by how much the better text of each pair leads, (pairs,); of a long text the mean over its windows counts."""
        side = 2 * batch["group"] + batch["gold"]  # (batch,): a pair's worse text, its better one
        worse, better = groups.means(outputs["score"], side, 2 * groups.number(batch["group"])).view(-1, 2).T
        return better - worse
