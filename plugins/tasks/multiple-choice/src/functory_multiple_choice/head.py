"""The head and its losses (torch): a number for each option, and a softmax over those of a question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from functory_multiple_choice.scoring import MET
from functory_sdk import BackboneSpec
from functory_sdk.torch import LinearHead, Numbered, Pooled, groups
from functory_sdk.torch.heads import Together


class ChoiceHead(LinearHead):
    """One score for each row, a question with one of its options, of its vector and of how its words meet the context's; of
    several windows of an option the mean odds count.
    """

    together: ClassVar[Together] = "group"
    is_surprise: ClassVar[bool] = True

    def __init__(self, spec: BackboneSpec, state: Any) -> None:
        worth = getattr(state, "lexical", 0.0)
        super().__init__(spec, state, 1, Numbered(Pooled(), MET.name) if worth else Pooled(), has_bias=False)
        if worth:  # it begins as what the words say
            self.prior = torch.zeros_like(self.linear.weight)
            self.prior[:, -1] = worth
            with torch.no_grad():
                self.linear.weight.copy_(self.prior)

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"score": self.scores(features).squeeze(-1)}  # (rows,)

    def losses(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return minus the log-probability of each question's right option, (questions,)."""
        likely, right, _ = self._options(outputs, batch)
        losses = -likely[right]
        return losses, torch.ones_like(losses)

    def evenly(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        likely, _, question = self._options(outputs, batch)
        return -groups.means(likely, question)

    def _options(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Return each option's log-probability, whether it is the right one, and which question's it is, (options,) all three."""
        most = int(batch["option"].max()) + 1
        key, option = torch.unique(batch["group"] * most + batch["option"], return_inverse=True)  # (options,), (rows,)
        windows = groups.sums(torch.ones_like(outputs["score"]), option)
        scores = groups.log_sums(outputs["score"], option) - windows.log()
        right = groups.sums(batch["gold"], option) > 0
        return groups.log_softmax(scores, key // most), right, key // most
