"""The head: a score of each token as the answer's first and as its last, and its loss. Torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from functory_question_answering.spans import FILL, HIDDEN
from functory_question_answering.types import Answers
from functory_sdk import BackboneSpec
from functory_sdk.torch import LinearHead, Tokens


class AnswerHead(LinearHead):
    """Log-probabilities of starts and ends, each over a row's candidates: tokens of the context, and the place of "none here"."""

    is_surprise: ClassVar[bool] = True

    def __init__(self, spec: BackboneSpec, state: Answers) -> None:
        super().__init__(spec, state, 2, Tokens())

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        scores = self.scores(features).transpose(1, 2)  # (batch, 2, tokens)
        is_open = batch["candidates"].bool()[:, None]
        shares = F.log_softmax(scores.masked_fill(~is_open, -torch.inf), -1)
        return {"scores": torch.where(is_open, shares, HIDDEN)}

    def losses(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return minus the log-probability that a row's answer is one of the right ones, (rows,), and a weight for each.

        Clark and Gardner 2018, section 3.1: the summed probability of all places where the answer stands.
        """
        gold = batch["gold"]  # (rows, answers, 2)
        is_gold = (gold != FILL).all(-1)
        places = gold.clamp(min=0).transpose(1, 2)  # (rows, 2, answers)
        spans = outputs["scores"].gather(-1, places).sum(1)  # (rows, answers)
        right = spans.masked_fill(~is_gold, -torch.inf).logsumexp(-1)
        return -right, torch.ones_like(right)

    def evenly(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return each row's loss if all candidates were as right as one another, (rows,)."""
        is_open = batch["candidates"].bool()[:, None]
        return -(outputs["scores"] * is_open).sum((1, 2)) / is_open.sum((1, 2))
