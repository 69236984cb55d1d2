"""The toy task's head, and how it is fitted (torch)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from functory.contracts.backbone import BackboneSpec
from functory.contracts.engine import Fit, TrainingSession
from functory_sdk.testing.toy import ToyState
from functory_sdk.torch import LinearHead

PENALTY = 1e-3


class ToyHead(LinearHead):
    """Log-probabilities of the labels, (batch, labels)."""

    def __init__(self, spec: BackboneSpec, state: ToyState) -> None:
        super().__init__(spec, state, len(state.labels))

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"scores": F.log_softmax(self.scores(features), -1)}

    def loss(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        gold = batch["gold"]
        return F.nll_loss(outputs["scores"], gold, reduction="sum"), torch.tensor(float(len(gold)))


def fit(session: TrainingSession) -> Fit:
    """Fit the head by L-BFGS on stored features."""
    head = session.model.head
    features = session.features(session.train.rows)  # (rows, width)
    gold = {"gold": torch.from_numpy(np.stack([row["gold"] for row in session.train.rows]))}
    solver = torch.optim.LBFGS(list(head.parameters()), max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        total, count = head.loss(head(features, gold), gold)
        loss: Tensor = total / count + PENALTY * (head.linear.weight**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    loss = solver.step(closure)  # type: ignore[no-untyped-call]
    solver.zero_grad()
    return Fit(metrics={"loss": float(loss.detach())})
