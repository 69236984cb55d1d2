"""The head and its loss (torch)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from functory_sdk import BackboneSpec
from functory_sdk.torch import LinearHead
from torch import Tensor

from {{ cookiecutter.__package }}.component import Scale


class RatingHead(LinearHead):
    """How far from the mean a text is rated, in spreads."""

    def __init__(self, spec: BackboneSpec, state: Scale) -> None:
        super().__init__(spec, state, 1)

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"distance": self.scores(features).squeeze(-1)}  # (batch,)

    def loss(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        error = outputs["distance"] - batch["gold"]
        return (error**2).sum(), torch.tensor(float(len(error)))
