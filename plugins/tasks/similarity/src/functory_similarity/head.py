"""The heads and their losses: one number a row."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from functory_sdk import BackboneSpec
from functory_sdk.torch import LinearHead, Paired, Reading
from functory_similarity.types import Scale


class Compared(Paired):
    """Two texts' vectors, how they differ, and their cosine: what a sentence encoder was trained to say is a feature too."""

    name = "compared"

    def width(self, spec: BackboneSpec) -> int:
        return super().width(spec) + 1

    def join(self, vectors: Tensor) -> Tensor:
        cosine = cosine_similarity(vectors[:, 0], vectors[:, 1], dim=-1)
        return torch.cat([super().join(vectors), cosine[:, None]], -1)


class NumberHead(LinearHead):
    """A number a row, in deviations from the examples' mean, fitted by its squared error."""

    def __init__(self, spec: BackboneSpec, state: Scale, reading: Reading | None = None) -> None:
        super().__init__(spec, state, 1, reading)

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"score": self.scores(features).squeeze(-1)}  # (batch,)

    def losses(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        losses = (outputs["score"] - batch["gold"]) ** 2  # (batch,)
        return losses, torch.ones_like(losses)


class PairedHead(NumberHead):
    """A number of two texts, each read by itself."""

    def __init__(self, spec: BackboneSpec, state: Scale) -> None:
        super().__init__(spec, state, Compared())


class SymmetricHead(NumberHead):
    """As `PairedHead`, and the same whichever of the two texts comes first."""

    def __init__(self, spec: BackboneSpec, state: Scale) -> None:
        super().__init__(spec, state, Compared(is_symmetric=True))
