"""Training that breaks, or that silently does nothing, is an error that says what to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from looping import loop, training_of

from functory_sdk import Adaptation, TrainingError


def test_a_loss_that_is_not_finite_names_step_and_rows(tmp_path: Path) -> None:
    broken = loop(tmp_path)
    head = broken.model.head
    losses = head.losses
    head.losses = lambda outputs, batch: (
        losses(outputs, batch)[0] * (float("nan") if broken.at.step == 2 else 1),
        losses(outputs, batch)[1],
    )
    with pytest.raises(TrainingError, match="the loss is nan at step 3") as caught:
        broken.run()
    assert caught.value.where.startswith("rows ")


def test_a_part_of_phi_that_no_gradient_reaches_is_named(tmp_path: Path) -> None:
    broken = loop(tmp_path)
    extra = torch.nn.Parameter(torch.ones(2))
    broken.model.network.register_parameter("idle", extra)
    broken.__init__(training_of(broken), broken.options)  # φ is what it is when a loop begins
    with pytest.raises(TrainingError, match=r"no gradient reached network\.idle"):
        broken.run()


def test_a_frozen_tensor_that_is_changed_is_named(tmp_path: Path) -> None:
    broken = loop(tmp_path)
    name, frozen = next((n, p) for n, p in broken.model.named_parameters() if not p.requires_grad)
    broken.run_.emit = lambda event: frozen.data.add_(1) if event.step == 5 else None
    with pytest.raises(TrainingError, match="is frozen and was changed") as caught:
        broken.run()
    assert name in caught.value.what


class OnlyInTraining:
    """Adds a vector to each layer's output while it is trained, and nothing afterwards."""

    beside, merge = (), Adaptation.merge

    def cut(self, spec: Any) -> int:
        return 1

    def crown(self, head: Any) -> Any:
        """Leaves the head as it is."""
        return head

    def attach(self, network: Any) -> None:
        for block in network.blocks:
            block.register_parameter("added", torch.nn.Parameter(torch.zeros(network.spec.width)))
            block.register_forward_hook(lambda block, given, hidden: hidden + block.added if block.training else hidden)


def test_phi_without_an_effect_is_told(tmp_path: Path) -> None:
    broken = loop(tmp_path, adaptation=OnlyInTraining())
    with pytest.raises(TrainingError, match="what was learned in network has no effect on the outputs"):
        broken.run()


def test_a_loss_that_stays_is_told(tmp_path: Path) -> None:
    broken = loop(tmp_path, dev=False)
    head = broken.model.head
    losses = head.losses

    def by_itself(outputs: Any, batch: Any) -> tuple[Any, Any]:
        found, weights = losses(outputs, batch)
        return found / found.detach(), weights  # its gradient moves φ, its value says nothing

    head.losses = by_itself
    with pytest.raises(TrainingError, match=r"the loss was 1\.0 at every step"):
        broken.run()
