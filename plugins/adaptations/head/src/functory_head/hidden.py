"""The mathematics: a hidden layer and a map, fitted to stored features by AdamW with much dropout.

A few thousand rows overfit it at once but for the dropout, half of the features and half of the units (Srivastava et al.
2014, Dropout); with it 20 passes are neither too few nor too many from some hundred rows on.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import dropout

from functory_sdk import TrainingError
from functory_sdk.torch import LinearHead, Shape, drawing
from functory_sdk.torch.linear import Block, loss_of
from functory_sdk.torch.shapes import PLAIN

DROPOUT = 0.5
RATE, DECAY, WARMUP = 2e-3, 0.1, 0.1
BATCH = 128
PASSES, STEPS = 20, 4000
"""Passes over a table, and after how many steps a large one has had enough; one pass at least."""


def steps_of(count: int) -> int:
    """Return how many steps so many units are fitted in."""
    in_a_pass = -(-count // BATCH)
    return min(PASSES * in_a_pass, max(STEPS, in_a_pass))


def fit_hidden(
    head: LinearHead, block: Block, seed: int, told: Callable[[float], None], shape: Shape = PLAIN
) -> float:
    """Fit a head with a hidden layer to standardised features; return the mean loss of its last pass.

    :param told: told the loss of each step.
    :param shape: what is made of the head's losses.
    :raises TrainingError: when the loss is not finite.
    """
    count = len(block.features)
    in_a_pass = -(-count // BATCH)
    steps = steps_of(count)
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=DECAY, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / (WARMUP * steps), 1.0) * (1 - step / steps)
    )
    kept = head.dropout.p
    losses: list[float] = []
    with drawing(seed):
        head.train()
        head.dropout.p = DROPOUT
        for step in range(steps):
            if step % in_a_pass == 0:
                order, cuts = _shuffled(block)
            place = step % in_a_pass
            if cuts[place] == cuts[place + 1]:  # a group that goes beyond its batch has taken this one's rows
                schedule.step()
                told(losses[-1])
                continue
            batch = block.at(order[cuts[place] : cuts[place + 1]])
            total, units = loss_of(head, Block(dropout(batch.features, DROPOUT), batch.gold), shape)
            loss = total / units.clamp(min=1e-6)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
            told(losses[-1])
    head.dropout.p = kept
    head.eval()
    optimiser.zero_grad()
    mean = sum(losses[-in_a_pass:]) / len(losses[-in_a_pass:])
    if not torch.isfinite(torch.tensor(mean)) or not all(bool(torch.isfinite(p).all()) for p in head.parameters()):
        raise TrainingError(
            f"the loss of the hidden layer is {mean}.", do="look for infinite features, or set hidden = 0."
        )
    return mean


def _shuffled(block: Block) -> tuple[Tensor, list[int]]:
    """Return the units in a random order, those of a group together, and where each batch of it begins and ends."""
    count = len(block.features)
    cuts = list(range(0, count, BATCH))
    if "group" not in block.gold:
        return torch.randperm(count), [*cuts, count]
    group = torch.unique(block.gold["group"], return_inverse=True)[1]
    rank = torch.randperm(int(group.max()) + 1)[group]  # (units,)
    ends = torch.bincount(rank).cumsum(0)
    return rank.argsort(stable=True), [0, *(int(ends[torch.searchsorted(ends, cut)]) for cut in cuts[1:]), count]
