"""The toy task's head, and how it is fitted (torch)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from functory.contracts.backbone import BackboneSpec
from functory.contracts.engine import Fit, TrainingSession
from functory.errors import PluginError
from functory_sdk.testing.toy import ToyState
from functory_sdk.torch import LinearHead, Paired, Reading, contrast, groups
from functory_sdk.torch.heads import Together

PENALTY = 1e-3


class ToyHead(LinearHead):
    """Log-probabilities of the labels, (batch, labels)."""

    def __init__(self, spec: BackboneSpec, state: ToyState, reading: Reading | None = None) -> None:
        super().__init__(spec, state, len(state.labels), reading)

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"scores": F.log_softmax(self.scores(features), -1)}

    def losses(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        losses = F.nll_loss(outputs["scores"], batch["gold"], reduction="none")
        return losses, torch.ones_like(losses)

    def contrast(self, features: Tensor, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        return contrast.gathered(features, contrast.alike(batch["gold"]))


class ToyGroupHead(ToyHead):
    """Says which row of a group is the one: its loss sees all rows of each group, or it fails."""

    together: ClassVar[Together] = "group"

    def losses(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        group, sizes = batch["group"], batch["size"]
        if not torch.equal(groups.sums(torch.ones_like(sizes), group)[group], sizes):
            raise PluginError("a group was parted: its loss sees some of its rows.", do="keep the rows of a group together.")
        scores = outputs["scores"][:, 1] - outputs["scores"][:, 0]
        likely = groups.log_softmax(scores, group)
        return -likely[batch["gold"] == 1], torch.ones(int((batch["gold"] == 1).sum()))


class ToyPairHead(ToyHead):
    """The same of two texts, each read by itself."""

    def __init__(self, spec: BackboneSpec, state: ToyState) -> None:
        super().__init__(spec, state, Paired())


def fit(session: TrainingSession) -> Fit:
    """Fit the head by L-BFGS on stored features."""
    head = session.model.head
    features = session.features(session.train.rows)  # (rows, width)
    gold = {port.name: torch.from_numpy(np.stack([row[port.name] for row in session.train.rows])) for port in session.model.gold}
    gold["group"] = torch.from_numpy(np.unique(session.train.group, return_inverse=True)[1])
    solver = torch.optim.LBFGS(list(head.parameters()), max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        losses, _ = head.losses(head(features, gold), gold)
        loss: Tensor = losses.mean() + PENALTY * (head.linear.weight**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    loss = solver.step(closure)  # type: ignore[no-untyped-call]
    solver.zero_grad()
    return Fit(metrics={"loss": float(loss.detach())})
