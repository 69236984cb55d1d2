"""The head: a sentence's vector as the backbone gives it."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from functory_sdk.torch import Head


class PlainHead(Head):
    """One vector a row, as the backbone pools. Without parameters."""

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"vector": features}  # (batch, width)
