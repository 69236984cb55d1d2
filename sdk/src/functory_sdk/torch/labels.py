"""The head of tasks that label, and its losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from functory.contracts.backbone import BackboneSpec
from functory_sdk.labels.classify import PASSED_OVER, beside, width
from functory_sdk.labels.types import Labels
from functory_sdk.torch.contrast import alike, gathered
from functory_sdk.torch.heads import LinearHead
from functory_sdk.torch.readings import Paired, Reading


class ClassifierHead(LinearHead):
    """Scores of the labels: log-probabilities for one label of several, logits otherwise.

    Beside them, of ratings the expected number, ``value``; where a function may decline, the logits' ``energy``, the logarithm
    of their summed exponentials, which log-probabilities no longer hold. A unit of its losses is a row that has a label, or,
    where each label is a yes or no of its own, a row's label.
    """

    is_surprise: ClassVar[bool] = True
    numbers: Tensor

    def __init__(self, spec: BackboneSpec, state: Labels, reading: Reading | None = None) -> None:
        super().__init__(spec, state, width(state), reading)
        self.is_one = state.is_one
        self.names = state.labels if state.mode != "multi" else tuple(n for name in state.labels for n in ("", name))
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

    def losses(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        scores, gold = outputs["scores"], batch["gold"]
        if self.is_one:
            known = gold != PASSED_OVER  # (batch,)
            losses = F.nll_loss(scores[known], gold[known], reduction="none")
            return losses, torch.ones_like(losses)
        losses = F.binary_cross_entropy_with_logits(scores, gold, reduction="none").flatten()  # (batch · width,)
        return losses, torch.full_like(losses, 1 / scores.shape[-1])

    def contrast(self, features: Tensor, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Rows of one label belong together; of several labels they do as far as these are the same."""
        gold = batch["gold"]
        known = gold != PASSED_OVER if self.is_one else torch.ones(len(gold), dtype=torch.bool, device=gold.device)
        return gathered(features[known], alike(gold[known]))

    def evenly(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        scores = outputs["scores"]
        return -scores[batch["gold"] != PASSED_OVER].mean(-1) if self.is_one else (F.softplus(scores) - scores / 2).flatten()

    def classes(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The label of a row; of a yes or no twice the label's number, and one more where it is yes."""
        gold = batch["gold"].long()
        if self.is_one:
            return gold[gold != PASSED_OVER]
        return (gold + 2 * torch.arange(gold.shape[-1], device=gold.device)).flatten()


class PairedHead(ClassifierHead):
    """Scores of the labels that two texts have together, each read by itself: a map of their vectors and how they differ."""

    def __init__(self, spec: BackboneSpec, state: Labels) -> None:
        super().__init__(spec, state, Paired())


class SymmetricHead(ClassifierHead):
    """As `PairedHead`, and the same whichever of the two texts comes first."""

    def __init__(self, spec: BackboneSpec, state: Labels) -> None:
        super().__init__(spec, state, Paired(is_symmetric=True))
