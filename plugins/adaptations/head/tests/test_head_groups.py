"""A hidden layer is fitted to groups that go beyond a batch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from functory_head.hidden import BATCH, fit_hidden  # noqa: E402
from functory_sdk.torch import LinearHead, groups  # noqa: E402
from functory_sdk.torch.linear import Block  # noqa: E402


class Highest(LinearHead):
    """A row of each group is right; of no rows there is no loss."""

    def forward(self, features: Any, batch: Any) -> dict[str, Any]:
        return {"score": self.scores(features).squeeze(-1)}

    def losses(self, outputs: Any, batch: Any) -> tuple[Any, Any]:
        assert len(outputs["score"]), "a batch without rows"
        losses = -groups.log_softmax(outputs["score"], batch["group"])[batch["gold"] > 0]
        return losses, torch.ones_like(losses)


def test_a_group_larger_than_a_batch_leaves_the_next_one_without_rows() -> None:
    head = Highest(SimpleNamespace(width=3), None, 1, has_bias=False)
    head.add_hidden(4)
    count = BATCH + 1
    gold = {"group": torch.zeros(count, dtype=torch.int64), "gold": (torch.arange(count) == 0).long()}
    told: list[float] = []
    assert fit_hidden(head, Block(torch.randn(count, 3), gold), 1, told.append) > 0
    assert len(told) % 2 == 0
