"""The head that gives the vectors as they are."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from functory_sdk.torch import Head


class PlainHead(Head):
    """One vector a row, as the backbone pools; of length 1 where it normalises. Without parameters."""

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        length = math.sqrt(features.shape[-1]) if self.spec.is_normalised else 1.0  # `pool` brings them to √width
        return {"vector": features / length}  # (batch, width)
